-- Before and after: each delete, restore and erasure left its customer's number of orders and revenue as they were.
-- You should see: no row.
SELECT 'Before and after' AS "check", event, action, customer, before_it, after_it
FROM (
    SELECT
        id AS event,
        action,
        customer_id AS customer,
        CASE WHEN json_valid(body) THEN json_extract(body, '$.before') END AS before_it,
        CASE WHEN json_valid(body) THEN json_extract(body, '$.after') END AS after_it
    FROM evenbooks_events
    WHERE action IN ('delete', 'restore', 'erase')
) AS changes
WHERE before_it IS NULL OR before_it IS NOT after_it
ORDER BY event;
