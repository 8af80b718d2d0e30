-- Customers: how many are active and how many deleted, within the mapping's slice. It reads every customer.
-- You should see: the figures of Customer Management and Deleted Customers.
SELECT
    'Customers' AS {check},
    COUNT(*) AS customers,
    COUNT(CASE WHEN c.deleted_at IS NULL THEN 1 END) AS active,
    COUNT(c.deleted_at) AS deleted
FROM (
{customers}
) AS c;
