-- Migration: was it successful? The column, an index that begins with it, and our own tables.
-- You should see: ok in every row. What is missing is made by: python run_customer_soft_delete_migration.py
SELECT
    'Migration' AS `check`,
    'column' AS kind,
    {deleted_at_name} AS name,
    MAX(CONCAT(column_type, IF(is_nullable = 'YES', ' NULL', ' NOT NULL'), ' DEFAULT ', COALESCE(column_default, 'NULL'), ' ', extra)) AS found,
    CASE
        WHEN COUNT(*) = 0 THEN 'MISSING'
        WHEN MAX(is_nullable <> 'YES' OR COALESCE(column_default, 'NULL') <> 'NULL' OR REPLACE(extra, 'INVISIBLE', '') <> '') THEN 'WRONG'
        ELSE 'ok'
    END AS verdict
FROM information_schema.columns
WHERE table_schema = {customer_schema} AND table_name = {customer_table_name} AND column_name = {deleted_at_name}
UNION ALL
SELECT 'Migration', 'index', {deleted_at_name}, GROUP_CONCAT(index_name), IF(COUNT(*) = 0, 'MISSING', 'ok')
FROM information_schema.statistics
WHERE table_schema = {customer_schema} AND table_name = {customer_table_name} AND column_name = {deleted_at_name} AND seq_in_index = 1
UNION ALL
SELECT
    'Migration',
    'table',
    wanted.name,
    CONCAT(t.engine, ' ', t.table_collation),
    CASE WHEN t.table_name IS NULL THEN 'MISSING' WHEN t.engine <> 'InnoDB' THEN 'WRONG' ELSE 'ok' END
FROM (
{own_tables}
) AS wanted
LEFT JOIN information_schema.tables AS t ON t.table_schema = DATABASE() AND t.table_name = wanted.name;
