-- Indexes: those of the customers, and of the orders where they are one table.
-- You should see: one that begins with the column of the deletion and, on the orders, with --revenue-index, one that begins
-- with the customer and one that begins with the date.
SELECT
    'Indexes' AS `check`,
    table_name,
    index_name,
    GROUP_CONCAT(column_name ORDER BY seq_in_index SEPARATOR ', ') AS columns,
    MIN(non_unique) = 0 AS is_unique,
    index_type
FROM information_schema.statistics
WHERE (table_schema, table_name) IN ({mapped_places})
GROUP BY table_schema, table_name, index_name, index_type
ORDER BY table_name, index_name;
