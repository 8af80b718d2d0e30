-- Seals: those in force, the newest month first.
-- You should see: every month that your books say is closed; no row where none is sealed. Whether they still hold says python -m data.integrity.
SELECT 'Seals' AS {check}, s.month, s.currency, s.orders, s.total, s.sealed_at, s.event_id
FROM evenbooks_seals AS s
WHERE s.unsealed_event_id IS NULL
ORDER BY s.month DESC, s.currency
LIMIT 100;
