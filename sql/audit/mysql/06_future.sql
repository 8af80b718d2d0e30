-- Future: nobody is deleted later than now. A day is allowed for clocks that are wrong.
-- You should see: no row.
WITH
evenbooks_customers AS (
{customers}
)
SELECT 'Future' AS `check`, id AS customer, deleted_at
FROM evenbooks_customers
WHERE deleted_at > UTC_TIMESTAMP() + INTERVAL 1 DAY
ORDER BY id;
