-- File: whether its pages hang together. It reads the whole file.
-- You should see: ok, once. Anything else is damage: stop, copy the file, restore a backup (docs/backup.md).
SELECT 'File' AS "check", quick_check AS found
FROM pragma_quick_check;
