-- Named customers: every customer whom an event names is still in the table, so nobody was removed physically.
-- You should see: no row.
WITH
evenbooks_customers AS NOT MATERIALIZED (
{customers}
)
SELECT 'Named customers' AS "check", e.customer_id AS customer, COUNT(*) AS events, MAX(e.id) AS last_event
FROM evenbooks_events AS e
WHERE e.customer_id IS NOT NULL
    AND NOT EXISTS (SELECT 1 FROM evenbooks_customers AS c WHERE c.id = e.customer_id)
GROUP BY e.customer_id
ORDER BY e.customer_id;
