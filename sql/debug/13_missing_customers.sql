-- Missing customers: orders that name a customer who is not there, by that customer. It reads every order.
-- You should see: no row, or only customers that were missing when Evenbooks came (python -m data.integrity knows them).
SELECT 'Missing customers' AS {check}, o.customer_id, COUNT(*) AS orders, MIN(o.month) AS first_month, MAX(o.month) AS last_month
FROM (
{orders}
) AS o
WHERE NOT o.is_guest
    AND NOT EXISTS (
        SELECT 1
        FROM (
{customers}
        ) AS c
        WHERE c.link = o.customer_id
    )
GROUP BY o.customer_id
ORDER BY orders DESC
LIMIT 20;
