-- Deletions: every deleted customer was deleted by the last event that concerns them, at that very time, and nobody
-- whom the events say is deleted is active or gone. The baseline event says who was deleted before Evenbooks came.
-- You should see: no row.
WITH
evenbooks_customers AS NOT MATERIALIZED (
{customers}
),
baseline AS (
    SELECT id, CASE WHEN json_valid(body) THEN body ELSE '{}' END AS body
    FROM evenbooks_events
    WHERE action = 'baseline'
    ORDER BY id
    LIMIT 1
),
told AS (
    SELECT
        id,
        CAST(customer_id AS TEXT) AS customer,
        CASE WHEN action = 'delete' AND json_valid(body) THEN json_extract(body, '$.deleted_at') END AS deleted_at
    FROM evenbooks_events
    WHERE action IN ('delete', 'restore')
    UNION ALL
    SELECT baseline.id, CAST(json_extract(j.value, '$[0]') AS TEXT), json_extract(j.value, '$[1]')
    FROM baseline, json_each(baseline.body, '$.deleted') AS j
),
last_told AS (
    SELECT customer, deleted_at, ROW_NUMBER() OVER (PARTITION BY customer ORDER BY id DESC) AS place
    FROM told
),
both_sides AS (
    -- One spelling of a time, whichever was stored. What is no time stays as it is.
    SELECT customer, COALESCE(strftime('%Y-%m-%dT%H:%M:%fZ', deleted_at), deleted_at) AS by_event, NULL AS in_table
    FROM last_told
    WHERE place = 1 AND deleted_at IS NOT NULL
    UNION ALL
    SELECT CAST(id AS TEXT), NULL, COALESCE(strftime('%Y-%m-%dT%H:%M:%fZ', deleted_at), CAST(deleted_at AS TEXT))
    FROM evenbooks_customers
    WHERE deleted_at IS NOT NULL
)
SELECT
    'Deletions' AS "check",
    customer,
    MAX(by_event) AS by_event,
    MAX(in_table) AS in_table,
    CASE
        WHEN MAX(by_event) IS NULL THEN 'deleted without an event'
        WHEN MAX(in_table) IS NULL THEN 'deleted by an event, but active or gone'
        ELSE 'deleted at another time than the event says'
    END AS problem
FROM both_sides
GROUP BY customer
HAVING MAX(by_event) IS NOT MAX(in_table)
ORDER BY customer;
