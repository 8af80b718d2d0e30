-- Transactions: which are open, for how long, and which waits for which. Of other roles' it shows more to a member of pg_monitor.
-- You should see: no row, or seconds below 10. A long one that others wait for, or "idle in transaction", keeps locks:
-- SELECT pg_terminate_backend(connection) ends it.
SELECT
    'Transactions' AS "check",
    a.pid AS connection,
    a.usename AS "user",
    a.application_name AS program,
    a.state,
    extract(epoch FROM clock_timestamp() - a.xact_start)::bigint AS seconds,
    a.wait_event_type AS waits,
    NULLIF(array_to_string(pg_blocking_pids(a.pid), ', '), '') AS waits_for
FROM pg_stat_activity AS a
WHERE a.pid <> pg_backend_pid()
    AND a.backend_type = 'client backend'
    AND a.datname = current_database()
    AND (a.xact_start IS NOT NULL OR a.state IS NULL)
ORDER BY a.xact_start NULLS LAST
LIMIT 50;
