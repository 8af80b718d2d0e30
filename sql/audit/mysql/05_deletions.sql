-- Deletions: every deleted customer was deleted by the last event that concerns them, at that very time, and nobody
-- whom the events say is deleted is active or gone. The baseline event says who was deleted before Evenbooks came.
-- You should see: no row.
WITH
evenbooks_customers AS (
{customers}
),
told AS (
    SELECT
        id,
        CAST(customer_id AS CHAR CHARACTER SET utf8mb4) COLLATE utf8mb4_nopad_bin AS customer,
        CASE WHEN action = 'delete' THEN JSON_VALUE(body, '$.deleted_at') END AS deleted_at
    FROM evenbooks_events
    WHERE action IN ('delete', 'restore')
    UNION ALL
    SELECT baseline.id, CONVERT(j.customer USING utf8mb4) COLLATE utf8mb4_nopad_bin, j.deleted_at
    FROM (SELECT id, body FROM evenbooks_events WHERE action = 'baseline' ORDER BY id LIMIT 1) AS baseline
    JOIN JSON_TABLE(
        baseline.body,
        '$.deleted[*]' COLUMNS (customer VARCHAR(255) PATH '$[0]', deleted_at VARCHAR(64) PATH '$[1]')
    ) AS j
),
last_told AS (
    SELECT customer, deleted_at, ROW_NUMBER() OVER (PARTITION BY customer ORDER BY id DESC) AS place
    FROM told
),
both_sides AS (
    SELECT customer, CONVERT(deleted_at USING utf8mb4) COLLATE utf8mb4_bin AS by_event, NULL AS in_table
    FROM last_told
    WHERE place = 1 AND deleted_at IS NOT NULL
    UNION ALL
    SELECT
        CAST(id AS CHAR CHARACTER SET utf8mb4) COLLATE utf8mb4_nopad_bin,
        NULL,
        CONCAT(
            DATE_FORMAT(deleted_at, '%Y-%m-%dT%H:%i:%s'),
            CASE WHEN MICROSECOND(deleted_at) = 0 THEN '' ELSE DATE_FORMAT(deleted_at, '.%f') END,
            'Z'
        )
    FROM evenbooks_customers
    WHERE deleted_at IS NOT NULL
)
SELECT
    'Deletions' AS `check`,
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
HAVING NOT (MAX(by_event) <=> MAX(in_table))
ORDER BY customer;
