-- Server: SQLite's version, how the file is written, and how much of it is in use. SQLite does not say who holds its one lock:
-- fuser and lsof say which programs have the file open.
-- You should see: wal, and utf-8.
SELECT
    'Server' AS "check",
    sqlite_version() AS version,
    (SELECT journal_mode FROM pragma_journal_mode) AS journal,
    (SELECT encoding FROM pragma_encoding) AS encoding,
    (SELECT page_count FROM pragma_page_count) * (SELECT page_size FROM pragma_page_size) AS bytes,
    (SELECT freelist_count FROM pragma_freelist_count) * (SELECT page_size FROM pragma_page_size) AS bytes_free;
