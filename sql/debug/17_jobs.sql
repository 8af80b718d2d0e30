-- Jobs: those that are not over, and the last that failed. A server that works on a job renews its lease with every batch.
-- You should see: no row, or "at work" with done rising. "NOBODY" is right for some seconds after a start or a crash; when it
-- stays, no server runs on this database, or each is too busy: docs/troubleshooting.md.
SELECT
    'Jobs' AS {check},
    j.id,
    j.kind,
    j.state,
    j.done,
    j.total,
    j.lease_until,
    {since}j.lease_until{until} AS seconds_past_lease,
    CASE
        WHEN j.state = 'failed' THEN 'FAILED'
        WHEN j.state = 'waiting' THEN 'waits for approval'
        WHEN j.state = 'stopped' THEN 'stopped'
        -- A lease of more than a minute is of a clock that has stepped back since.
        WHEN j.owner IS NULL OR {since}j.lease_until{until} NOT BETWEEN -60 AND 0 THEN 'NOBODY works on it'
        ELSE 'at work'
    END AS verdict,
    j.error
FROM evenbooks_jobs AS j
WHERE j.state IN ('waiting', 'running', 'stopped', 'failed')
ORDER BY CASE WHEN j.state = 'running' THEN 0 ELSE 1 END, j.made_at DESC
LIMIT 20;
