-- Deleted at: the column is empty unless somebody deletes. It allows NULL, has no default, and does not fill itself.
-- You should see: no row.
SELECT 'Deleted at' AS `check`, column_name, column_type, is_nullable, column_default, extra
FROM information_schema.columns
WHERE table_schema = {customer_schema}
    AND table_name = {customer_table_name}
    AND column_name = {deleted_at_name}
    AND (is_nullable <> 'YES' OR COALESCE(column_default, 'NULL') <> 'NULL' OR extra <> '');
