-- Deleted at: the column is empty unless somebody deletes. It allows NULL, has no default, and is not computed.
-- You should see: no row.
SELECT
    'Deleted at' AS "check",
    a.attname,
    format_type(a.atttypid, a.atttypmod) AS type,
    a.attnotnull,
    pg_get_expr(d.adbin, d.adrelid) AS column_default,
    a.attgenerated
FROM pg_attribute AS a
LEFT JOIN pg_attrdef AS d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
WHERE a.attrelid = {customer_place}::regclass
    AND a.attname = {deleted_at_name}
    AND NOT a.attisdropped
    AND (
        a.attnotnull
        OR a.attgenerated <> ''
        OR COALESCE(pg_get_expr(d.adbin, d.adrelid), 'NULL') !~* '^NULL(::.*)?$'
    );
