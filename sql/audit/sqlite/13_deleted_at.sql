-- Deleted at: the column is empty unless somebody deletes. It allows NULL and has no default.
-- You should see: no row.
SELECT 'Deleted at' AS "check", name, type, "notnull", dflt_value
FROM pragma_table_xinfo({customer_table_name}, {customer_schema})
WHERE lower(name) = lower({deleted_at_name})
    AND ("notnull" OR upper(COALESCE(dflt_value, 'NULL')) <> 'NULL' OR hidden);
