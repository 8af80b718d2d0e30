-- Chain: every event's hash is the SHA-256 of the hash before it followed by its body, the ids have no gap, the columns
-- beside the body say what the body says, a note is the one that was written, and the head points to the last event.
-- You should see: no row.
WITH
events AS (
    SELECT *, CASE WHEN json_valid(body) THEN body ELSE '{}' END AS read_body FROM evenbooks_events
),
links AS (
    SELECT
        e.id AS event,
        CASE WHEN e.hash IS NOT made.hash THEN ', hash' ELSE '' END
        || CASE WHEN e.id <> 1 AND b.id IS NULL THEN ', event before it is missing' ELSE '' END
        || CASE WHEN e.prev IS NOT COALESCE(b.hash, printf('%064d', 0)) THEN ', prev' ELSE '' END
        || CASE WHEN NOT json_valid(e.body) THEN ', body cannot be read' ELSE '' END
        || CASE WHEN e.id IS NOT json_extract(read_body, '$.id') THEN ', id' ELSE '' END
        || CASE
            WHEN strftime('%Y-%m-%dT%H:%M:%f', e.at) IS NOT strftime('%Y-%m-%dT%H:%M:%f', json_extract(read_body, '$.at'))
                OR strftime('%s', e.at) IS NULL THEN ', at'
            ELSE ''
        END
        || CASE WHEN e.action IS NOT json_extract(read_body, '$.action') THEN ', action' ELSE '' END
        || CASE WHEN e.actor IS NOT json_extract(read_body, '$.actor') THEN ', actor' ELSE '' END
        || CASE WHEN e.door IS NOT json_extract(read_body, '$.door') THEN ', door' ELSE '' END
        || CASE WHEN e.reason IS NOT json_extract(read_body, '$.reason') THEN ', reason' ELSE '' END
        || CASE
            WHEN CAST(e.customer_id AS TEXT) IS NOT CAST(json_extract(read_body, '$.customer_id') AS TEXT)
                THEN ', customer_id'
            ELSE ''
        END
        || CASE WHEN e.batch_id IS NOT json_extract(read_body, '$.batch_id') THEN ', batch_id' ELSE '' END
        || CASE
            WHEN e.note IS NOT NULL AND noted.hash IS NOT json_extract(read_body, '$.note_hash') THEN ', note'
            ELSE ''
        END AS problem
    FROM events AS e
    LEFT JOIN evenbooks_events AS b ON b.id = e.id - 1
    LEFT JOIN temp.evenbooks_hashes AS made ON made.event = e.id AND made.of_note = 0
    LEFT JOIN temp.evenbooks_hashes AS noted ON noted.event = e.id AND noted.of_note = 1
    UNION ALL
    SELECT
        COALESCE(last_event.id, 0),
        CASE WHEN head.id IS NULL THEN ', head is gone' ELSE '' END
        || CASE
            WHEN head.event_id IS NOT last_event.id OR head.hash IS NOT last_event.hash
                THEN ', head points to event ' || COALESCE(head.event_id, 'none')
            ELSE ''
        END
        || CASE
            WHEN NOT EXISTS (SELECT 1 FROM evenbooks_events WHERE action = 'baseline') THEN ', baseline is gone'
            ELSE ''
        END
    FROM (SELECT 1 AS one) AS always
    LEFT JOIN evenbooks_chain AS head ON head.id = 1
    LEFT JOIN (SELECT id, hash FROM evenbooks_events ORDER BY id DESC LIMIT 1) AS last_event
)
SELECT 'Chain' AS "check", event, substr(problem, 3) AS problem
FROM links
WHERE problem <> ''
ORDER BY event;
