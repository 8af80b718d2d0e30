-- Future: nobody is deleted later than now. A day is allowed for clocks that are wrong.
-- You should see: no row.
WITH
evenbooks_customers AS NOT MATERIALIZED (
{customers}
)
SELECT 'Future' AS "check", id AS customer, deleted_at
FROM evenbooks_customers
WHERE deleted_at > now() + INTERVAL '1 day'
ORDER BY id;
