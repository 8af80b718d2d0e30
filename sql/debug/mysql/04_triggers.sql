-- Triggers: those of the customers and the orders, the views over them, and foreign keys that point to the customers. Triggers are
-- seen by accounts with the right TRIGGER alone, foreign keys and views by such as may more than read.
-- You should see: first whether triggers can be seen. With --guard those that begin with evenbooks_, and no foreign key with
-- CASCADE or SET NULL.
SELECT
    'Triggers' AS `check`,
    'right' AS kind,
    'TRIGGER' AS name,
    CURRENT_USER() AS found,
    IF(
        EXISTS (SELECT 1 FROM information_schema.user_privileges WHERE privilege_type = 'TRIGGER' AND grantee = {me})
        OR EXISTS (
            SELECT 1 FROM information_schema.schema_privileges
            WHERE privilege_type = 'TRIGGER' AND grantee = {me} AND {customer_schema} LIKE table_schema
        ),
        'ok',
        'COULD NOT SEE'
    ) AS verdict
UNION ALL
SELECT 'Triggers', 'trigger', trigger_name, CONCAT_WS(' ', action_timing, event_manipulation, 'ON', event_object_table), ''
FROM information_schema.triggers
WHERE (event_object_schema, event_object_table) IN ({mapped_places})
UNION ALL
SELECT 'Triggers', 'view', v.table_name, v.security_type, ''
FROM information_schema.views AS v
WHERE v.table_schema = {customer_schema} AND INSTR(v.view_definition, {customer_table_name}) > 0
UNION ALL
SELECT
    'Triggers',
    'foreign key',
    constraint_name,
    CONCAT(table_name, ' ON DELETE ', delete_rule),
    IF(delete_rule IN ('RESTRICT', 'NO ACTION'), 'ok', 'DANGEROUS')
FROM information_schema.referential_constraints
WHERE unique_constraint_schema = {customer_schema} AND referenced_table_name = {customer_table_name};
