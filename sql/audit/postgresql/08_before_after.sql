-- Before and after: each delete, restore and erasure left its customer's number of orders and revenue as they were.
-- You should see: no row.
WITH
events AS MATERIALIZED (
{events}
    WHERE e.action IN ('delete', 'restore', 'erase')
)
SELECT
    'Before and after' AS "check",
    id AS event,
    action,
    customer_id AS customer,
    said -> 'before' AS before_it,
    said -> 'after' AS after_it
FROM events
WHERE said -> 'before' IS NULL OR (said -> 'before')::text IS DISTINCT FROM (said -> 'after')::text
ORDER BY id;
