-- Triggers: those of the customers and the orders, the views over them, and foreign keys that point to the customers.
-- You should see: with --guard the triggers that begin with evenbooks_, and no foreign key with CASCADE or SET NULL.
SELECT
    'Triggers' AS "check",
    'trigger' AS kind,
    t.tgname AS name,
    pg_get_triggerdef(t.oid) AS found,
    CASE t.tgenabled WHEN 'D' THEN 'DISABLED' ELSE 'ok' END AS verdict
FROM (VALUES {mapped_places}) AS mapped(place)
JOIN pg_trigger AS t ON t.tgrelid = mapped.place::regclass AND NOT t.tgisinternal
UNION ALL
SELECT DISTINCT 'Triggers', 'view', r.ev_class::regclass::text, '', ''
FROM (VALUES {mapped_places}) AS mapped(place)
JOIN pg_depend AS d ON d.refclassid = 'pg_class'::regclass AND d.refobjid = mapped.place::regclass AND d.classid = 'pg_rewrite'::regclass
JOIN pg_rewrite AS r ON r.oid = d.objid AND r.ev_class <> mapped.place::regclass
UNION ALL
SELECT
    'Triggers',
    'foreign key',
    c.conname,
    c.conrelid::regclass || ': ' || pg_get_constraintdef(c.oid),
    CASE WHEN c.confdeltype IN ('a', 'r') THEN 'ok' ELSE 'DANGEROUS' END
FROM pg_constraint AS c
WHERE c.contype = 'f' AND c.confrelid = {customer_place}::regclass
ORDER BY 2, 3;
