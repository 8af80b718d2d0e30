-- Seals: every sealed month has the orders and the revenue that it was sealed with, and the seals are those that the
-- events wrote. The checksum over the single orders is recomputed by: python -m data.integrity
-- You should see: no row.
WITH
evenbooks_orders AS NOT MATERIALIZED (
{orders}
),
counted AS (
    SELECT
        month,
        currency,
        COUNT(*) AS all_orders,
        COUNT(CASE WHEN is_revenue THEN 1 END) AS orders,
        COALESCE(SUM(CASE WHEN is_revenue THEN amount END), 0) AS total
    FROM evenbooks_orders
    GROUP BY month, currency
),
today AS (
    SELECT
        month,
        currency,
        all_orders,
        orders,
        printf('%s%d.%06d', CASE WHEN total < 0 THEN '-' ELSE '' END, abs(total) / 1000000, abs(total) % 1000000) AS total
    FROM counted
),
written AS (
    SELECT
        e.id,
        json_extract(e.body, '$.month') AS month,
        json_extract(j.value, '$.currency') AS currency,
        json_extract(j.value, '$.orders') AS orders,
        json_extract(j.value, '$.total') AS total,
        json_extract(j.value, '$.checksum') AS checksum
    FROM (SELECT id, CASE WHEN json_valid(body) THEN body ELSE '{}' END AS body FROM evenbooks_events WHERE action = 'seal') AS e,
        json_each(e.body, '$.seals') AS j
),
-- The event that ended each seal: the first that unsealed its month afterwards.
ended AS (
    SELECT s.event_id, s.month, MIN(u.id) AS id
    FROM evenbooks_seals AS s
    JOIN evenbooks_events AS u
        ON u.action = 'unseal' AND u.id > s.event_id
        AND CASE WHEN json_valid(u.body) THEN json_extract(u.body, '$.month') END = s.month
    GROUP BY s.event_id, s.month
)
SELECT
    'Seals' AS "check",
    s.month,
    s.currency,
    s.orders AS orders_sealed,
    COALESCE(today.orders, 0) AS orders_today,
    s.total AS total_sealed,
    COALESCE(today.total, '0.000000') AS total_today,
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
        AND s.total = COALESCE(today.total, '0.000000')
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
    'event ' || w.id || ' wrote another seal, or the seal is gone'
FROM written AS w
LEFT JOIN evenbooks_seals AS s ON s.event_id = w.id AND s.currency = w.currency
WHERE s.month IS NOT w.month
    OR s.orders IS NOT w.orders
    -- The event has the shortest spelling of the amount, the seal always six digits.
    OR rtrim(s.total, '0') IS NOT rtrim(w.total || CASE WHEN instr(w.total, '.') THEN '' ELSE '.' END, '0')
    OR s.checksum IS NOT w.checksum
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
        ELSE 'unsealed by event ' || ended.id || ', but says otherwise'
    END
FROM evenbooks_seals AS s
LEFT JOIN evenbooks_events AS sealing ON sealing.id = s.event_id AND sealing.action = 'seal'
LEFT JOIN ended ON ended.event_id = s.event_id AND ended.month = s.month
WHERE sealing.id IS NULL OR s.unsealed_event_id IS NOT ended.id;
