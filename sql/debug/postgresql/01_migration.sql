-- Migration: was it successful? The column, an index that begins with it, and our own tables.
-- You should see: ok in every row. What is missing is made by: python run_customer_soft_delete_migration.py
SELECT
    'Migration' AS "check",
    'column' AS kind,
    {deleted_at_name} AS name,
    max(concat_ws(' ', format_type(a.atttypid, a.atttypmod), CASE WHEN a.attnotnull THEN 'NOT NULL' END, 'DEFAULT ' || pg_get_expr(d.adbin, d.adrelid))) AS found,
    CASE
        WHEN count(*) = 0 THEN 'MISSING'
        WHEN bool_or(a.attnotnull OR a.attgenerated <> '' OR COALESCE(pg_get_expr(d.adbin, d.adrelid), 'NULL') !~* '^NULL(::.*)?$') THEN 'WRONG'
        ELSE 'ok'
    END AS verdict
FROM pg_attribute AS a
LEFT JOIN pg_attrdef AS d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
WHERE a.attrelid = {customer_place}::regclass AND a.attname = {deleted_at_name} AND NOT a.attisdropped
UNION ALL
SELECT
    'Migration',
    'index',
    {deleted_at_name},
    string_agg(i.indexrelid::regclass::text, ', ') FILTER (WHERE i.indisvalid),
    CASE WHEN count(*) FILTER (WHERE i.indisvalid) > 0 THEN 'ok' WHEN count(*) > 0 THEN 'INVALID' ELSE 'MISSING' END
FROM pg_index AS i
JOIN pg_attribute AS a ON a.attrelid = i.indrelid AND a.attnum = i.indkey[0]
WHERE i.indrelid = {customer_place}::regclass AND a.attname = {deleted_at_name}
UNION ALL
SELECT 'Migration', 'table', wanted.name, to_regclass(wanted.name)::text, CASE WHEN to_regclass(wanted.name) IS NULL THEN 'MISSING' ELSE 'ok' END
FROM (
{own_tables}
) AS wanted;
