-- Requests: those that wait for a second person, the oldest first.
-- You should see: no row, or none that somebody waits for in vain. An expired one is void, and says so once somebody looks at it.
SELECT
    'Requests' AS {check},
    r.id,
    r.kind,
    r.customer_id,
    r.job_id,
    r.requested_at,
    r.expires_at,
    CASE WHEN {since}r.expires_at{until} >= 0 THEN 'EXPIRED' ELSE 'waits' END AS verdict
FROM evenbooks_approvals AS r
WHERE r.state = 'waiting'
ORDER BY r.id
LIMIT 100;
