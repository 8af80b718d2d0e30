-- Migration: was it successful? The column, an index that begins with it, and our own tables.
-- You should see: ok in every row. What is missing is made by: python run_customer_soft_delete_migration.py
SELECT
    'Migration' AS "check",
    'column' AS kind,
    {deleted_at_name} AS name,
    max(type) AS found,
    CASE
        WHEN count(*) = 0 THEN 'MISSING'
        WHEN max("notnull" OR upper(COALESCE(dflt_value, 'NULL')) <> 'NULL' OR hidden) THEN 'WRONG'
        ELSE 'ok'
    END AS verdict
FROM pragma_table_xinfo({customer_table_name}, {customer_schema})
WHERE lower(name) = lower({deleted_at_name})
UNION ALL
SELECT 'Migration', 'index', {deleted_at_name}, group_concat(l.name, ', '), CASE WHEN count(*) = 0 THEN 'MISSING' ELSE 'ok' END
FROM pragma_index_list({customer_table_name}, {customer_schema}) AS l
JOIN pragma_index_info(l.name, {customer_schema}) AS i ON i.seqno = 0 AND lower(i.name) = lower({deleted_at_name})
UNION ALL
SELECT 'Migration', 'table', wanted.name, m.type, CASE WHEN m.name IS NULL THEN 'MISSING' ELSE 'ok' END
FROM (
{own_tables}
) AS wanted
LEFT JOIN sqlite_master AS m ON m.type = 'table' AND m.name = wanted.name;
