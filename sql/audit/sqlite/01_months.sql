-- Months: active + deleted + no customer + missing customer = total, per month and currency.
-- The total and each part are added up from the orders by a query of their own. Nothing is subtracted.
-- Amounts are added as whole millionths, because SQLite keeps decimals as floating point numbers.
-- You should see: "even" in every row, and the figures of the Financial Integrity page.
WITH
evenbooks_customers AS NOT MATERIALIZED (
{customers}
),
evenbooks_orders AS NOT MATERIALIZED (
{orders}
),
parts AS (
    SELECT month, currency, 'total' AS part, COUNT(*) AS orders, COALESCE(SUM(amount), 0) AS amount
    FROM evenbooks_orders
    WHERE is_revenue
    GROUP BY month, currency
    UNION ALL
    SELECT month, currency, 'active', COUNT(*), COALESCE(SUM(amount), 0)
    FROM evenbooks_orders AS o CROSS JOIN evenbooks_customers AS c ON c.link = o.customer_id
    WHERE is_revenue AND NOT is_guest AND c.deleted_at IS NULL
    GROUP BY month, currency
    UNION ALL
    SELECT month, currency, 'deleted', COUNT(*), COALESCE(SUM(amount), 0)
    FROM evenbooks_customers AS c JOIN evenbooks_orders AS o ON o.customer_id = c.link
    WHERE is_revenue AND NOT is_guest AND c.deleted_at IS NOT NULL
    GROUP BY month, currency
    UNION ALL
    SELECT month, currency, 'no customer', COUNT(*), COALESCE(SUM(amount), 0)
    FROM evenbooks_orders
    WHERE is_revenue AND is_guest
    GROUP BY month, currency
    UNION ALL
    SELECT month, currency, 'missing customer', COUNT(*), COALESCE(SUM(amount), 0)
    FROM evenbooks_orders AS o
    WHERE is_revenue AND NOT is_guest
        AND NOT EXISTS (SELECT 1 FROM evenbooks_customers AS c WHERE c.link = o.customer_id)
    GROUP BY month, currency
),
side_by_side AS (
    SELECT
        month,
        currency,
        SUM(CASE WHEN part = 'total' THEN orders ELSE 0 END) AS orders,
        SUM(CASE WHEN part = 'active' THEN amount ELSE 0 END) AS active,
        SUM(CASE WHEN part = 'deleted' THEN amount ELSE 0 END) AS deleted,
        SUM(CASE WHEN part = 'no customer' THEN amount ELSE 0 END) AS no_customer,
        SUM(CASE WHEN part = 'missing customer' THEN amount ELSE 0 END) AS missing_customer,
        SUM(CASE WHEN part = 'total' THEN amount ELSE 0 END) AS total,
        SUM(CASE WHEN part = 'total' THEN -amount ELSE amount END) AS difference,
        SUM(CASE WHEN part = 'total' THEN -orders ELSE orders END) AS difference_in_orders
    FROM parts
    GROUP BY month, currency
)
SELECT
    'Months' AS "check",
    month,
    currency,
    orders,
    printf('%s%d.%06d', CASE WHEN active < 0 THEN '-' ELSE '' END, abs(active) / 1000000, abs(active) % 1000000) AS active,
    printf('%s%d.%06d', CASE WHEN deleted < 0 THEN '-' ELSE '' END, abs(deleted) / 1000000, abs(deleted) % 1000000) AS deleted,
    printf('%s%d.%06d', CASE WHEN no_customer < 0 THEN '-' ELSE '' END, abs(no_customer) / 1000000, abs(no_customer) % 1000000) AS no_customer,
    printf('%s%d.%06d', CASE WHEN missing_customer < 0 THEN '-' ELSE '' END, abs(missing_customer) / 1000000, abs(missing_customer) % 1000000) AS missing_customer,
    printf('%s%d.%06d', CASE WHEN total < 0 THEN '-' ELSE '' END, abs(total) / 1000000, abs(total) % 1000000) AS total,
    printf('%s%d.%06d', CASE WHEN difference < 0 THEN '-' ELSE '' END, abs(difference) / 1000000, abs(difference) % 1000000) AS difference,
    difference_in_orders,
    CASE WHEN difference = 0 AND difference_in_orders = 0 THEN 'even' ELSE 'NOT EVEN' END AS verdict
FROM side_by_side
ORDER BY month IS NULL, month, currency;
