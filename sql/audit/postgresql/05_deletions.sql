-- Deletions: every deleted customer was deleted by the last event that concerns them, at that very time, and nobody
-- whom the events say is deleted is active or gone. The baseline event says who was deleted before Evenbooks came.
-- You should see: no row.
WITH
evenbooks_customers AS NOT MATERIALIZED (
{customers}
),
events AS MATERIALIZED (
{events}
    WHERE e.action IN ('baseline', 'delete', 'restore')
),
baseline AS (
{baseline}
),
told AS (
    SELECT
        id,
        format('%s', customer_id) COLLATE "C" AS customer,
        CASE WHEN action = 'delete' THEN said ->> 'deleted_at' END AS deleted_at
    FROM events
    WHERE action IN ('delete', 'restore')
    UNION ALL
    SELECT baseline.id, (one.value ->> 0) COLLATE "C", one.value ->> 1
    FROM baseline
    CROSS JOIN LATERAL json_array_elements(baseline.deleted) AS one
),
last_told AS (
    SELECT customer, deleted_at, ROW_NUMBER() OVER (PARTITION BY customer ORDER BY id DESC) AS place
    FROM told
),
both_sides AS (
    SELECT customer, deleted_at COLLATE "C" AS by_event, NULL AS in_table
    FROM last_told
    WHERE place = 1 AND deleted_at IS NOT NULL
    UNION ALL
    SELECT
        format('%s', id) COLLATE "C",
        NULL,
        COALESCE(
            to_char(deleted_at, 'YYYY-MM-DD"T"HH24:MI:SS')
            || CASE WHEN to_char(deleted_at, 'US') = '000000' THEN '' ELSE to_char(deleted_at, '.US') END
            || 'Z',
            deleted_at::text
        ) COLLATE "C"
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
HAVING MAX(by_event) IS DISTINCT FROM MAX(in_table)
ORDER BY customer;
