-- Heartbeat: by which a replica's lag is measured (docs/replica.md). Run on both: the beat on the replica is the primary's.
-- You should see: without a replica no row, or an old one. With one, and with /readyz asked regularly, some seconds.
SELECT 'Heartbeat' AS {check}, h.beat, h.at, {since}h.at{until} AS seconds_ago
FROM evenbooks_heartbeat AS h;
