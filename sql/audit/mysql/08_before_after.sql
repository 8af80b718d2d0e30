-- Before and after: each delete, restore and erasure left its customer's number of orders and revenue as they were.
-- You should see: no row.
SELECT
    'Before and after' AS `check`,
    id AS event,
    action,
    customer_id AS customer,
    JSON_EXTRACT(body, '$.before') AS before_it,
    JSON_EXTRACT(body, '$.after') AS after_it
FROM evenbooks_events
WHERE action IN ('delete', 'restore', 'erase')
    AND (
        JSON_EXTRACT(body, '$.before') IS NULL
        OR NOT (BINARY JSON_EXTRACT(body, '$.before') <=> BINARY JSON_EXTRACT(body, '$.after'))
    )
ORDER BY id;
