-- Columns: those of the customers, as \d says them.
-- You should see: every column that evenbooks.toml names, and the one that says since when a customer is deleted.
SELECT
    'Columns' AS "check",
    a.attname AS name,
    format_type(a.atttypid, a.atttypmod) AS type,
    NOT a.attnotnull AS is_nullable,
    pg_get_expr(d.adbin, d.adrelid) AS column_default
FROM pg_attribute AS a
LEFT JOIN pg_attrdef AS d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
WHERE a.attrelid = {customer_place}::regclass AND a.attnum > 0 AND NOT a.attisdropped
ORDER BY a.attnum;
