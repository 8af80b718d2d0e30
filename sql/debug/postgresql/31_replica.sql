-- Replica: who follows this server (asked on the primary), and how far this one is (asked on the replica).
-- You should see: on the primary a row for each replica with state streaming (a member of pg_monitor sees it); on a replica
-- one row with the seconds since the last change that it has; on a server without replicas no row.
SELECT
    'Replica' AS "check",
    'follows this' AS kind,
    r.application_name AS name,
    r.state,
    extract(epoch FROM r.replay_lag)::numeric(12, 1) AS seconds
FROM pg_stat_replication AS r
UNION ALL
SELECT
    'Replica',
    'this is one',
    '',
    '',
    extract(epoch FROM clock_timestamp() - pg_last_xact_replay_timestamp())::numeric(12, 1)
WHERE pg_is_in_recovery();
