    SELECT
        id,
        CASE WHEN json_typeof(said -> 'deleted') = 'array' THEN said -> 'deleted' ELSE '[]' END AS deleted,
        CASE WHEN json_typeof(said -> 'missing') = 'array' THEN said -> 'missing' ELSE '[]' END AS missing,
        CASE WHEN said ->> 'missing_orders' ~ '^[0-9]{1,18}$' THEN (said ->> 'missing_orders')::bigint ELSE 0 END
            AS missing_orders
    FROM events
    WHERE action = 'baseline'
    ORDER BY id
    LIMIT 1
