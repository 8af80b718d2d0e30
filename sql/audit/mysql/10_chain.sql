-- Chain: every event's hash is the SHA-256 of the hash before it followed by its body, the ids have no gap, the columns
-- beside the body say what the body says, a note is the one that was written, and the head points to the last event.
-- You should see: no row.
SELECT 'Chain' AS `check`, event, problem
FROM (
    SELECT
        e.id AS event,
        CONCAT_WS(
            ', ',
            CASE WHEN NOT (BINARY e.hash <=> BINARY SHA2(CONCAT(e.prev, e.body), 256)) THEN 'hash' END,
            CASE WHEN e.id <> 1 AND b.id IS NULL THEN 'event before it is missing' END,
            CASE WHEN NOT (BINARY e.prev <=> BINARY COALESCE(b.hash, REPEAT('0', 64))) THEN 'prev' END,
            CASE WHEN NOT JSON_VALID(e.body) THEN 'body cannot be read' END,
            CASE WHEN NOT (BINARY e.id <=> BINARY JSON_VALUE(e.body, '$.id')) THEN 'id' END,
            CASE
                WHEN NOT (
                    CONCAT(
                        DATE_FORMAT(e.at, '%Y-%m-%dT%H:%i:%s'),
                        CASE WHEN MICROSECOND(e.at) = 0 THEN '' ELSE DATE_FORMAT(e.at, '.%f') END,
                        'Z'
                    ) <=> JSON_VALUE(e.body, '$.at')
                ) THEN 'at'
            END,
            CASE WHEN NOT (BINARY e.action <=> BINARY JSON_VALUE(e.body, '$.action')) THEN 'action' END,
            CASE WHEN NOT (BINARY e.actor <=> BINARY JSON_VALUE(e.body, '$.actor')) THEN 'actor' END,
            CASE WHEN NOT (BINARY e.door <=> BINARY JSON_VALUE(e.body, '$.door')) THEN 'door' END,
            CASE WHEN NOT (BINARY e.reason <=> BINARY JSON_VALUE(e.body, '$.reason')) THEN 'reason' END,
            CASE
                WHEN NOT (
                    BINARY CAST(e.customer_id AS CHAR CHARACTER SET utf8mb4)
                    <=> BINARY JSON_VALUE(e.body, '$.customer_id')
                ) THEN 'customer_id'
            END,
            CASE WHEN NOT (BINARY e.batch_id <=> BINARY JSON_VALUE(e.body, '$.batch_id')) THEN 'batch_id' END,
            CASE
                WHEN e.note IS NOT NULL
                    AND NOT (
                        BINARY SHA2(CONCAT(COALESCE(e.note_salt, ''), e.note), 256)
                        <=> BINARY JSON_VALUE(e.body, '$.note_hash')
                    ) THEN 'note'
            END
        ) AS problem
    FROM evenbooks_events AS e
    LEFT JOIN evenbooks_events AS b ON b.id = e.id - 1
    UNION ALL
    SELECT
        COALESCE(last_event.id, 0),
        CONCAT_WS(
            ', ',
            CASE WHEN head.id IS NULL THEN 'head is gone' END,
            CASE
                WHEN NOT (head.event_id <=> last_event.id AND BINARY head.hash <=> BINARY last_event.hash)
                    THEN CONCAT('head points to event ', head.event_id)
            END,
            CASE
                WHEN NOT EXISTS (SELECT 1 FROM evenbooks_events WHERE action = 'baseline') THEN 'baseline is gone'
            END
        )
    FROM (SELECT 1 AS one) AS always
    LEFT JOIN evenbooks_chain AS head ON head.id = 1
    LEFT JOIN (SELECT id, hash FROM evenbooks_events ORDER BY id DESC LIMIT 1) AS last_event ON TRUE
) AS links
WHERE problem <> ''
ORDER BY event;
