-- Deleted: the twenty who were deleted last, directly from the table, each with the last event about them.
-- You should see: delete beside each, nothing beside those who were deleted before Evenbooks came, and nobody who was restored.
-- No row: nobody is deleted.
SELECT
    'Deleted' AS {check},
    c.id,
    c.deleted_at,
    (
        SELECT e.action FROM evenbooks_events AS e
        WHERE e.customer_id = c.id AND e.action IN ('delete', 'restore')
        ORDER BY e.id DESC LIMIT 1
    ) AS last_event
FROM (
{customers}
) AS c
WHERE c.deleted_at IS NOT NULL
ORDER BY c.deleted_at DESC, c.id
LIMIT 20;
