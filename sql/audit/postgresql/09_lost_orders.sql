-- Lost orders: no deleted customer has fewer orders, of whatever status, than when they were deleted.
-- You should see: no row.
WITH
evenbooks_customers AS NOT MATERIALIZED (
{customers}
),
evenbooks_orders AS NOT MATERIALIZED (
{orders}
),
events AS MATERIALIZED (
{events}
    WHERE e.action IN ('baseline', 'delete', 'restore')
),
baseline AS (
{baseline}
),
told AS (
    SELECT
        id,
        format('%s', customer_id) COLLATE "C" AS customer,
        CASE WHEN action = 'delete' THEN said -> 'after' ->> 'all_orders' END AS orders
    FROM events
    WHERE action IN ('delete', 'restore')
    UNION ALL
    SELECT baseline.id, (one.value ->> 0) COLLATE "C", one.value ->> 2
    FROM baseline
    CROSS JOIN LATERAL json_array_elements(baseline.deleted) AS one
),
last_told AS (
    SELECT customer, orders, ROW_NUMBER() OVER (PARTITION BY customer ORDER BY id DESC) AS place
    FROM told
),
both_sides AS (
    SELECT
        customer,
        CASE WHEN orders ~ '^[0-9]{1,18}$' THEN orders::bigint END AS when_deleted,
        NULL::bigint AS now
    FROM last_told
    WHERE place = 1
    UNION ALL
    SELECT format('%s', c.id) COLLATE "C", NULL, COUNT(o.id)
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
