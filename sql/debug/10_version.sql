-- Version: the version of our own tables, and the one that this Evenbooks wants.
-- You should see: ok. An older one is brought up by running the migration again; a newer one belongs to a newer Evenbooks.
SELECT
    'Version' AS {check},
    v.version_num AS found,
    {version} AS wanted,
    CASE WHEN v.version_num = {version} THEN 'ok' ELSE 'DIFFERS' END AS verdict
FROM evenbooks_version AS v;
