-- Chain: the head points to the last event, no event is missing, and each continues the one before. Hashes are recomputed by
-- python -m data.integrity, and by python -m data.sql audit.
-- You should see: whole, with head, last_event and events equal and no unlinked event.
SELECT
    'Chain' AS {check},
    h.event_id AS head,
    f.last_event,
    f.events,
    f.unlinked,
    CASE
        WHEN h.event_id = f.last_event AND f.events = f.last_event AND f.unlinked = 0 AND h.hash = l.hash THEN 'whole'
        ELSE 'BROKEN'
    END AS verdict
FROM (
    SELECT
        MAX(e.id) AS last_event,
        COUNT(*) AS events,
        COUNT(CASE WHEN COALESCE(b.hash, CASE WHEN e.id = 1 THEN {first_prev} END, '') <> e.prev THEN 1 END) AS unlinked
    FROM evenbooks_events AS e
    LEFT JOIN evenbooks_events AS b ON b.id = e.id - 1
) AS f
LEFT JOIN evenbooks_events AS l ON l.id = f.last_event
LEFT JOIN evenbooks_chain AS h ON h.id = 1;
