-- Chain: every event's hash is the SHA-256 of the hash before it followed by its body, the ids have no gap, the columns
-- beside the body say what the body says, a note is the one that was written, and the head points to the last event.
-- You should see: no row.
WITH
events AS MATERIALIZED (
{events}
)
SELECT 'Chain' AS "check", event, problem
FROM (
    SELECT
        e.id AS event,
        concat_ws(
            ', ',
            CASE
                WHEN e.hash::text IS DISTINCT FROM encode(sha256(convert_to(e.prev::text || e.body, 'UTF8')), 'hex')
                    THEN 'hash'
            END,
            CASE WHEN e.id <> 1 AND b.id IS NULL THEN 'event before it is missing' END,
            CASE WHEN e.prev::text IS DISTINCT FROM COALESCE(b.hash::text, repeat('0', 64)) THEN 'prev' END,
            CASE WHEN NOT e.is_json THEN 'body cannot be read' END,
            CASE WHEN e.id::text IS DISTINCT FROM e.said ->> 'id' THEN 'id' END,
            CASE
                WHEN to_char(e.at, 'YYYY-MM-DD"T"HH24:MI:SS')
                    || CASE WHEN to_char(e.at, 'US') = '000000' THEN '' ELSE to_char(e.at, '.US') END
                    || 'Z' IS DISTINCT FROM e.said ->> 'at' THEN 'at'
            END,
            CASE WHEN e.action IS DISTINCT FROM e.said ->> 'action' THEN 'action' END,
            CASE WHEN e.actor IS DISTINCT FROM e.said ->> 'actor' THEN 'actor' END,
            CASE WHEN e.door IS DISTINCT FROM e.said ->> 'door' THEN 'door' END,
            CASE WHEN e.reason IS DISTINCT FROM e.said ->> 'reason' THEN 'reason' END,
            CASE
                WHEN CASE WHEN e.customer_id IS NOT NULL THEN format('%s', e.customer_id) END
                    IS DISTINCT FROM e.said ->> 'customer_id' THEN 'customer_id'
            END,
            CASE WHEN e.batch_id IS DISTINCT FROM e.said ->> 'batch_id' THEN 'batch_id' END,
            CASE
                WHEN e.note IS NOT NULL
                    AND encode(sha256(convert_to(COALESCE(e.note_salt::text, '') || e.note, 'UTF8')), 'hex')
                        IS DISTINCT FROM e.said ->> 'note_hash' THEN 'note'
            END
        ) AS problem
    FROM events AS e
    LEFT JOIN evenbooks_events AS b ON b.id = e.id - 1
    UNION ALL
    SELECT
        COALESCE(last_event.id, 0),
        concat_ws(
            ', ',
            CASE WHEN head.id IS NULL THEN 'head is gone' END,
            CASE
                WHEN head.event_id IS DISTINCT FROM last_event.id OR head.hash IS DISTINCT FROM last_event.hash
                    THEN 'head points to event ' || COALESCE(head.event_id::text, 'none')
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
