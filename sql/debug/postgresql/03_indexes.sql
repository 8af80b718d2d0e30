-- Indexes: those of the customers, and of the orders where they are one table.
-- You should see: one that begins with the column of the deletion and, on the orders, with --revenue-index, one that begins
-- with the customer and one that begins with the date. INVALID is what a stopped CREATE INDEX CONCURRENTLY leaves: drop it.
SELECT
    'Indexes' AS "check",
    i.indrelid::regclass AS table_name,
    pg_get_indexdef(i.indexrelid) AS definition,
    pg_size_pretty(pg_relation_size(i.indexrelid)) AS size,
    CASE WHEN i.indisvalid THEN 'ok' ELSE 'INVALID' END AS verdict
FROM (VALUES {mapped_places}) AS mapped(place)
JOIN pg_index AS i ON i.indrelid = mapped.place::regclass
ORDER BY 2, 3;
