-- Summary: how many problems each question found.
-- You should see: 0 in every row.
SELECT 'Summary' AS "check", 'months that are not even' AS question, COUNT(*) AS problems
FROM (
{months}
) AS found
WHERE verdict <> 'even'
UNION ALL
SELECT 'Summary', 'totals that are not even', COUNT(*)
FROM (
{totals}
) AS found
WHERE verdict <> 'even'
UNION ALL
SELECT 'Summary', 'missing customers', COUNT(*)
FROM (
{missing_customers}
) AS found
UNION ALL
SELECT 'Summary', 'deletions', COUNT(*)
FROM (
{deletions}
) AS found
UNION ALL
SELECT 'Summary', 'future', COUNT(*)
FROM (
{future}
) AS found
UNION ALL
SELECT 'Summary', 'named customers', COUNT(*)
FROM (
{named_customers}
) AS found
UNION ALL
SELECT 'Summary', 'before and after', COUNT(*)
FROM (
{before_after}
) AS found
UNION ALL
SELECT 'Summary', 'lost orders', COUNT(*)
FROM (
{lost_orders}
) AS found
UNION ALL
SELECT 'Summary', 'chain', COUNT(*)
FROM (
{chain}
) AS found
UNION ALL
SELECT 'Summary', 'seals', COUNT(*)
FROM (
{seals}
) AS found
UNION ALL
SELECT 'Summary', 'deleted at', COUNT(*)
FROM (
{deleted_at}
) AS found;
