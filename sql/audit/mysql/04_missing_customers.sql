-- Missing customers: orders that name a customer who is not there, beyond those that the baseline found so.
-- It proves that nobody was deleted physically and left orders behind. Orders of any status count.
-- You should see: no row.
WITH
evenbooks_customers AS (
{customers}
),
evenbooks_orders AS (
{orders}
),
baseline AS (
    SELECT body FROM evenbooks_events WHERE action = 'baseline' ORDER BY id LIMIT 1
),
found AS (
    SELECT
        CAST(o.customer_id AS CHAR CHARACTER SET utf8mb4) COLLATE utf8mb4_nopad_bin AS customer,
        COUNT(*) AS orders,
        0 AS known_before
    FROM evenbooks_orders AS o
    WHERE NOT o.is_guest
        AND NOT EXISTS (SELECT 1 FROM evenbooks_customers AS c WHERE c.link = o.customer_id)
    GROUP BY o.customer_id
    UNION ALL
    SELECT CONVERT(known.customer USING utf8mb4) COLLATE utf8mb4_nopad_bin, 0, known.orders
    FROM baseline
    JOIN JSON_TABLE(
        baseline.body,
        '$.missing[*]' COLUMNS (customer VARCHAR(255) PATH '$[0]', orders BIGINT PATH '$[1]')
    ) AS known
),
counted AS (
    SELECT
        customer,
        SUM(orders) AS orders,
        SUM(known_before) AS known_before,
        SUM(SUM(orders)) OVER () AS all_orders,
        COUNT(*) OVER () AS customers
    FROM found
    GROUP BY customer
)
SELECT 'Missing customers' AS `check`, customer, orders, known_before
FROM counted
WHERE orders > known_before
    -- Of very many the baseline names only the first {most_missing}, and counts the orders of all.
    AND (
        customers <= {most_missing}
        OR all_orders > COALESCE((SELECT CAST(JSON_VALUE(body, '$.missing_orders') AS SIGNED) FROM baseline), 0)
    )
ORDER BY customer;
