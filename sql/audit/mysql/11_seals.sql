-- Seals: every sealed month has the orders and the revenue that it was sealed with, and the seals are those that the
-- events wrote. The checksum over the single orders is recomputed by: python -m data.integrity
-- You should see: no row.
WITH
evenbooks_orders AS (
{orders}
),
today AS (
    SELECT
        CONVERT(month USING utf8mb4) COLLATE utf8mb4_bin AS month,
        CONVERT(currency USING utf8mb4) COLLATE utf8mb4_bin AS currency,
        COUNT(*) AS all_orders,
        COUNT(CASE WHEN is_revenue THEN 1 END) AS orders,
        COALESCE(SUM(CASE WHEN is_revenue THEN amount END), 0) AS total
    FROM evenbooks_orders
    GROUP BY 1, 2
),
written AS (
    SELECT
        e.id,
        CONVERT(JSON_VALUE(e.body, '$.month') USING utf8mb4) COLLATE utf8mb4_bin AS month,
        CONVERT(j.currency USING utf8mb4) COLLATE utf8mb4_bin AS currency,
        j.orders,
        j.total,
        CONVERT(j.checksum USING utf8mb4) COLLATE utf8mb4_bin AS checksum
    FROM evenbooks_events AS e
    JOIN JSON_TABLE(
        e.body,
        '$.seals[*]' COLUMNS (
            currency VARCHAR(64) PATH '$.currency',
            orders BIGINT PATH '$.orders',
            total DECIMAL(38, 6) PATH '$.total',
            checksum CHAR(64) PATH '$.checksum'
        )
    ) AS j
    WHERE e.action = 'seal'
),
-- The event that ended each seal: the first that unsealed its month afterwards.
ended AS (
    SELECT s.event_id, s.month, MIN(u.id) AS id
    FROM evenbooks_seals AS s
    JOIN evenbooks_events AS u
        ON u.action = 'unseal' AND u.id > s.event_id
        AND CONVERT(JSON_VALUE(u.body, '$.month') USING utf8mb4) COLLATE utf8mb4_bin = s.month
    GROUP BY s.event_id, s.month
)
SELECT
    'Seals' AS `check`,
    s.month,
    s.currency,
    s.orders AS orders_sealed,
    COALESCE(today.orders, 0) AS orders_today,
    s.total AS total_sealed,
    COALESCE(today.total, 0) AS total_today,
    CASE
        WHEN s.mapping <> {fingerprint} THEN 'sealed under another mapping, so it cannot be compared'
        ELSE 'other orders or revenue than sealed'
    END AS problem
FROM evenbooks_seals AS s
LEFT JOIN today ON today.month = s.month AND today.currency = s.currency
WHERE s.unsealed_event_id IS NULL
    AND NOT (
        s.orders = COALESCE(today.orders, 0)
        AND s.all_orders = COALESCE(today.all_orders, 0)
        AND s.total = COALESCE(today.total, 0)
    )
UNION ALL
SELECT
    'Seals',
    w.month,
    w.currency,
    w.orders,
    s.orders,
    w.total,
    s.total,
    CONCAT('event ', w.id, ' wrote another seal, or the seal is gone')
FROM written AS w
LEFT JOIN evenbooks_seals AS s ON s.event_id = w.id AND s.currency = w.currency
WHERE NOT (
    s.month <=> w.month AND s.orders <=> w.orders AND s.total <=> w.total AND s.checksum <=> w.checksum
)
UNION ALL
SELECT
    'Seals',
    s.month,
    s.currency,
    s.orders,
    NULL,
    s.total,
    NULL,
    CASE
        WHEN sealing.id IS NULL THEN 'sealed without an event'
        WHEN ended.id IS NULL THEN 'unsealed without an event'
        ELSE CONCAT('unsealed by event ', ended.id, ', but says otherwise')
    END
FROM evenbooks_seals AS s
LEFT JOIN evenbooks_events AS sealing ON sealing.id = s.event_id AND sealing.action = 'seal'
LEFT JOIN ended ON ended.event_id = s.event_id AND ended.month = s.month
WHERE sealing.id IS NULL OR NOT (s.unsealed_event_id <=> ended.id);
