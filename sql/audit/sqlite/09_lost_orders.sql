-- Lost orders: no deleted customer has fewer orders, of whatever status, than when they were deleted.
-- You should see: no row.
WITH
evenbooks_customers AS NOT MATERIALIZED (
{customers}
),
evenbooks_orders AS NOT MATERIALIZED (
{orders}
),
baseline AS (
    SELECT id, CASE WHEN json_valid(body) THEN body ELSE '{}' END AS body
    FROM evenbooks_events
    WHERE action = 'baseline'
    ORDER BY id
    LIMIT 1
),
told AS (
    SELECT
        id,
        CAST(customer_id AS TEXT) AS customer,
        CASE WHEN action = 'delete' AND json_valid(body) THEN json_extract(body, '$.after.all_orders') END AS orders
    FROM evenbooks_events
    WHERE action IN ('delete', 'restore')
    UNION ALL
    SELECT baseline.id, CAST(json_extract(j.value, '$[0]') AS TEXT), json_extract(j.value, '$[2]')
    FROM baseline, json_each(baseline.body, '$.deleted') AS j
),
last_told AS (
    SELECT customer, orders, ROW_NUMBER() OVER (PARTITION BY customer ORDER BY id DESC) AS place
    FROM told
),
both_sides AS (
    SELECT customer, orders AS when_deleted, NULL AS now
    FROM last_told
    WHERE place = 1
    UNION ALL
    SELECT CAST(c.id AS TEXT), NULL, COUNT(o.id)
    FROM evenbooks_customers AS c
    LEFT JOIN evenbooks_orders AS o ON o.customer_id = c.link AND NOT o.is_guest
    WHERE c.deleted_at IS NOT NULL
    GROUP BY c.id
)
SELECT 'Lost orders' AS "check", customer, MAX(when_deleted) AS when_deleted, MAX(now) AS now
FROM both_sides
GROUP BY customer
HAVING MAX(now) < MAX(when_deleted)
ORDER BY customer;
