-- Hard delete: what the reports would show, had the deleted customers been deleted physically together with their orders.
-- Figures to compare, not a test: total is the revenue of each month, would_show what had remained of it.
-- You should see: erased = the column "deleted" of the months.
WITH
evenbooks_customers AS (
{customers}
),
evenbooks_orders AS (
{orders}
)
SELECT
    'Hard delete' AS "check",
    o.month,
    o.currency,
    COALESCE(SUM(o.amount), 0) AS total,
    COALESCE(SUM(CASE WHEN gone.id IS NULL THEN o.amount END), 0) AS would_show,
    COALESCE(SUM(CASE WHEN gone.id IS NOT NULL THEN o.amount END), 0) AS erased
FROM evenbooks_orders AS o
LEFT JOIN evenbooks_customers AS gone
    ON gone.link = o.customer_id AND NOT o.is_guest AND gone.deleted_at IS NOT NULL
WHERE o.is_revenue
GROUP BY o.month, o.currency
ORDER BY o.month IS NULL, o.month, o.currency;
