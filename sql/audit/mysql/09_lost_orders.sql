-- Lost orders: no deleted customer has fewer orders, of whatever status, than when they were deleted.
-- You should see: no row.
WITH
evenbooks_customers AS (
{customers}
),
evenbooks_orders AS (
{orders}
),
told AS (
    SELECT
        id,
        CAST(customer_id AS CHAR CHARACTER SET utf8mb4) COLLATE utf8mb4_nopad_bin AS customer,
        CASE WHEN action = 'delete' THEN CAST(JSON_VALUE(body, '$.after.all_orders') AS SIGNED) END AS orders
    FROM evenbooks_events
    WHERE action IN ('delete', 'restore')
    UNION ALL
    SELECT baseline.id, CONVERT(j.customer USING utf8mb4) COLLATE utf8mb4_nopad_bin, j.orders
    FROM (SELECT id, body FROM evenbooks_events WHERE action = 'baseline' ORDER BY id LIMIT 1) AS baseline
    JOIN JSON_TABLE(
        baseline.body,
        '$.deleted[*]' COLUMNS (customer VARCHAR(255) PATH '$[0]', orders BIGINT PATH '$[2]')
    ) AS j
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
    SELECT CAST(c.id AS CHAR CHARACTER SET utf8mb4) COLLATE utf8mb4_nopad_bin, NULL, COUNT(o.id)
    FROM evenbooks_customers AS c
    LEFT JOIN evenbooks_orders AS o ON o.customer_id = c.link AND NOT o.is_guest
    WHERE c.deleted_at IS NOT NULL
    GROUP BY c.id
)
SELECT 'Lost orders' AS `check`, customer, MAX(when_deleted) AS when_deleted, MAX(now) AS now
FROM both_sides
GROUP BY customer
HAVING MAX(now) < MAX(when_deleted)
ORDER BY customer;
