-- Hard delete: what the reports would show, had the deleted customers been deleted physically together with their orders.
-- Figures to compare, not a test: total is the revenue of each month, would_show what had remained of it.
-- You should see: erased = the column "deleted" of the months.
WITH
evenbooks_customers AS NOT MATERIALIZED (
{customers}
),
evenbooks_orders AS NOT MATERIALIZED (
{orders}
),
figures AS (
    SELECT
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
)
SELECT
    'Hard delete' AS "check",
    month,
    currency,
    printf('%s%d.%06d', CASE WHEN total < 0 THEN '-' ELSE '' END, abs(total) / 1000000, abs(total) % 1000000) AS total,
    printf('%s%d.%06d', CASE WHEN would_show < 0 THEN '-' ELSE '' END, abs(would_show) / 1000000, abs(would_show) % 1000000) AS would_show,
    printf('%s%d.%06d', CASE WHEN erased < 0 THEN '-' ELSE '' END, abs(erased) / 1000000, abs(erased) % 1000000) AS erased
FROM figures
ORDER BY month IS NULL, month, currency;
