-- Missing customers: orders that name a customer who is not there, beyond those that the baseline found so.
-- It proves that nobody was deleted physically and left orders behind. Orders of any status count.
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
    WHERE e.action = 'baseline'
),
baseline AS (
{baseline}
),
found AS (
    SELECT format('%s', o.customer_id) COLLATE "C" AS customer, COUNT(*) AS orders, 0::bigint AS known_before
    FROM evenbooks_orders AS o
    WHERE NOT o.is_guest
        AND NOT EXISTS (SELECT 1 FROM evenbooks_customers AS c WHERE c.link = o.customer_id)
    GROUP BY o.customer_id
    UNION ALL
    SELECT
        (known.value ->> 0) COLLATE "C",
        0,
        CASE WHEN known.value ->> 1 ~ '^[0-9]{1,18}$' THEN (known.value ->> 1)::bigint ELSE 0 END
    FROM baseline
    CROSS JOIN LATERAL json_array_elements(baseline.missing) AS known
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
SELECT 'Missing customers' AS "check", customer, orders, known_before
FROM counted
WHERE orders > known_before
    -- Of very many the baseline names only the first {most_missing}, and counts the orders of all.
    AND (
        customers <= {most_missing}
        OR all_orders > COALESCE((SELECT missing_orders FROM baseline), 0)
    )
ORDER BY customer;
