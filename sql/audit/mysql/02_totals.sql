-- Totals: active + deleted + no customer + missing customer = total, over all orders, per currency.
-- The total and each part are added up from the orders by a query of their own. Nothing is subtracted.
-- You should see: "even" in every row, and the figures of the Financial Integrity page.
WITH
evenbooks_customers AS (
{customers}
),
evenbooks_orders AS (
{orders}
),
parts AS (
    SELECT currency, 'total' AS part, COUNT(*) AS orders, COALESCE(SUM(amount), 0) AS amount
    FROM evenbooks_orders
    WHERE is_revenue
    GROUP BY currency
    UNION ALL
    SELECT currency, 'active', COUNT(*), COALESCE(SUM(amount), 0)
    FROM evenbooks_orders AS o STRAIGHT_JOIN evenbooks_customers AS c ON c.link = o.customer_id
    WHERE is_revenue AND NOT is_guest AND c.deleted_at IS NULL
    GROUP BY currency
    UNION ALL
    SELECT currency, 'deleted', COUNT(*), COALESCE(SUM(amount), 0)
    FROM evenbooks_customers AS c JOIN evenbooks_orders AS o ON o.customer_id = c.link
    WHERE is_revenue AND NOT is_guest AND c.deleted_at IS NOT NULL
    GROUP BY currency
    UNION ALL
    SELECT currency, 'no customer', COUNT(*), COALESCE(SUM(amount), 0)
    FROM evenbooks_orders
    WHERE is_revenue AND is_guest
    GROUP BY currency
    UNION ALL
    SELECT currency, 'missing customer', COUNT(*), COALESCE(SUM(amount), 0)
    FROM evenbooks_orders AS o
    WHERE is_revenue AND NOT is_guest
        AND NOT EXISTS (SELECT 1 FROM evenbooks_customers AS c WHERE c.link = o.customer_id)
    GROUP BY currency
),
side_by_side AS (
    SELECT
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
    GROUP BY currency
)
SELECT
    'Totals' AS `check`,
    currency,
    orders,
    active,
    deleted,
    no_customer,
    missing_customer,
    total,
    difference,
    difference_in_orders,
    CASE WHEN difference = 0 AND difference_in_orders = 0 THEN 'even' ELSE 'NOT EVEN' END AS verdict
FROM side_by_side
ORDER BY currency;
