-- Columns: what DESCRIBE says of the customers.
-- You should see: every column that evenbooks.toml names, and the one that says since when a customer is deleted.
SELECT 'Columns' AS `check`, column_name AS name, column_type AS type, is_nullable, column_key, column_default, extra
FROM information_schema.columns
WHERE table_schema = {customer_schema} AND table_name = {customer_table_name}
ORDER BY ordinal_position;
