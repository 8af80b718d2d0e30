-- Columns: those of the customers.
-- You should see: every column that evenbooks.toml names, and the one that says since when a customer is deleted.
SELECT 'Columns' AS "check", name, type, NOT "notnull" AS is_nullable, dflt_value AS column_default, pk
FROM pragma_table_xinfo({customer_table_name}, {customer_schema})
ORDER BY cid;
