-- Server: what it is, and how many connections are used of those that it allows.
-- You should see: read_only OFF on a primary, and ever_used well below max_connections (Evenbooks takes up to 30 a process).
SELECT
    'Server' AS `check`,
    VERSION() AS version,
    @@global.read_only AS read_only,
    @@global.time_zone AS time_zone,
    @@global.innodb_lock_wait_timeout AS lock_wait,
    @@global.max_connections AS max_connections,
    (SELECT variable_value FROM information_schema.global_status WHERE variable_name = 'THREADS_CONNECTED') AS connected,
    (SELECT variable_value FROM information_schema.global_status WHERE variable_name = 'MAX_USED_CONNECTIONS') AS ever_used;
