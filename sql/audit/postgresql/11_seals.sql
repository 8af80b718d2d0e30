-- Seals: every sealed month has the orders and the revenue that it was sealed with, and the seals are those that the
-- events wrote. The checksum over the single orders is recomputed by: python -m data.integrity
-- You should see: no row.
WITH
evenbooks_orders AS NOT MATERIALIZED (
{orders}
),
events AS MATERIALIZED (
{events}
    WHERE e.action IN ('seal', 'unseal')
),
today AS (
    SELECT
        month,
        currency,
        COUNT(*) AS all_orders,
        COUNT(CASE WHEN is_revenue THEN 1 END) AS orders,
        COALESCE(SUM(CASE WHEN is_revenue THEN amount END), 0) AS total
    FROM evenbooks_orders
    GROUP BY month, currency
),
written AS (
    SELECT
        e.id,
        e.said ->> 'month' AS month,
        one.value ->> 'currency' AS currency,
        CASE WHEN one.value ->> 'orders' ~ '^[0-9]{1,18}$' THEN (one.value ->> 'orders')::bigint END AS orders,
        CASE
            WHEN one.value ->> 'total' ~ '^-?[0-9]{1,32}(\.[0-9]{1,6})?$' THEN (one.value ->> 'total')::numeric
        END AS total,
        one.value ->> 'checksum' AS checksum
    FROM events AS e
    CROSS JOIN LATERAL json_array_elements(
        CASE WHEN json_typeof(e.said -> 'seals') = 'array' THEN e.said -> 'seals' ELSE '[]' END
    ) AS one
    WHERE e.action = 'seal'
),
-- The event that ended each seal: the first that unsealed its month afterwards.
ended AS (
    SELECT s.event_id, s.month, MIN(u.id) AS id
    FROM evenbooks_seals AS s
    JOIN events AS u ON u.action = 'unseal' AND u.id > s.event_id AND u.said ->> 'month' = s.month
    GROUP BY s.event_id, s.month
)
SELECT
    'Seals' AS "check",
    s.month::text AS month,
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
    'event ' || w.id || ' wrote another seal, or the seal is gone'
FROM written AS w
LEFT JOIN evenbooks_seals AS s ON s.event_id = w.id AND s.currency = w.currency
WHERE s.month IS DISTINCT FROM w.month
    OR s.orders IS DISTINCT FROM w.orders
    OR s.total IS DISTINCT FROM w.total
    OR s.checksum IS DISTINCT FROM w.checksum
UNION ALL
SELECT
    'Seals',
    s.month::text,
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
LEFT JOIN events AS sealing ON sealing.id = s.event_id AND sealing.action = 'seal'
LEFT JOIN ended ON ended.event_id = s.event_id AND ended.month = s.month
WHERE sealing.id IS NULL OR s.unsealed_event_id IS DISTINCT FROM ended.id;
