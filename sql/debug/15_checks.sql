-- Checks: the last five that were kept.
-- You should see: first a check of the last 24 hours that is even and saw everything (unseen 0). No row: nobody ever checked.
SELECT
    'Checks' AS {check},
    k.id,
    k.snapshot_at,
    {since}k.snapshot_at{until} AS seconds_ago,
    k.unseen,
    CASE WHEN k.even THEN 'even' ELSE 'NOT EVEN' END AS verdict
FROM evenbooks_checks AS k
ORDER BY k.id DESC
LIMIT 5;
