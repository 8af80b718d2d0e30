-- Transactions: which are open, for how long, and which waits for which. Needs the right PROCESS; without it the client
-- stops here with error 1227, and has answered everything above.
-- You should see: no row, or seconds below 10. A long one with rows_locked keeps others waiting: KILL <connection> ends it.
SELECT
    'Transactions' AS `check`,
    t.trx_mysql_thread_id AS connection,
    p.user,
    p.host,
    p.command,
    t.trx_state AS state,
    -- InnoDB writes this one time in the machine's zone, whatever the session's is.
    TIMESTAMPDIFF(SECOND, t.trx_started, CONVERT_TZ(UTC_TIMESTAMP(), '+00:00', 'SYSTEM')) AS seconds,
    t.trx_rows_locked AS rows_locked,
    t.trx_rows_modified AS rows_modified,
    (
        SELECT GROUP_CONCAT(DISTINCT b.trx_mysql_thread_id)
        FROM information_schema.innodb_lock_waits AS w
        JOIN information_schema.innodb_trx AS b ON b.trx_id = w.blocking_trx_id
        WHERE w.requesting_trx_id = t.trx_id
    ) AS waits_for
FROM information_schema.innodb_trx AS t
LEFT JOIN information_schema.processlist AS p ON p.id = t.trx_mysql_thread_id
WHERE t.trx_mysql_thread_id <> CONNECTION_ID()
ORDER BY t.trx_started
LIMIT 50;
