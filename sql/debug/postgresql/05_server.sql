-- Server: what it is, and how many connections are used of those that it allows.
-- You should see: a primary is not in recovery; connected well below max_connections (Evenbooks takes up to 30 a process).
SELECT
    'Server' AS "check",
    current_setting('server_version') AS version,
    pg_is_in_recovery() AS in_recovery,
    current_setting('default_transaction_read_only') AS read_only,
    current_setting('max_connections')::int AS max_connections,
    (SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend') AS connected;
