-- Two roles for this database: one that can do what the application does and nothing else, and one that only reads.
-- Neither may delete, empty, drop or alter anything, and neither may change an order.
-- Replace both passwords, then run this with psql as an administrator or as the owner of the tables with the right to make
-- roles. Run the migration with another account, never with these, and let neither own a table.
DO $evenbooks$
BEGIN
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = {app_name}) THEN
        CREATE ROLE {app} LOGIN PASSWORD 'change me';
    END IF;
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = {reader_name}) THEN
        CREATE ROLE {reader} LOGIN PASSWORD 'change me';
    END IF;
END
$evenbooks$;
GRANT CONNECT ON DATABASE {database} TO {app}, {reader};
GRANT USAGE ON SCHEMA {schemas} TO {app}, {reader};

-- The application: it adds and edits customers, and sets and clears the column that says since when one is deleted.
GRANT {customer_rights} ON {customers} TO {app};
{app_orders}
-- Events and checks are added to, and never changed; only a free note is blanked when the person is erased, and the chain
-- holds its salted hash. The head of the chain is moved, a seal is marked when it is opened.
-- Whoever changes customers locks the head's whole table first, which PostgreSQL allows to who may change all of it; a head
-- that was altered otherwise is found by python -m data.integrity.
GRANT SELECT, INSERT, UPDATE ({event_columns}) ON {events} TO {app};
GRANT SELECT, INSERT ON {checks} TO {app};
GRANT SELECT, UPDATE ON {chain} TO {app};
GRANT SELECT, INSERT, UPDATE ({seal_columns}) ON {seals} TO {app};
-- Tokens of the API are added, noted as used, and revoked; of sign-outs the last one of each person is kept. Whoever
-- holds this account can add a token or take a revocation back: python -m data.tokens list shows every one, and the
-- events say who made and revoked which.
GRANT SELECT, INSERT, UPDATE ({token_columns}) ON {tokens} TO {app};
GRANT SELECT, INSERT, UPDATE ({sign_out_columns}) ON {sign_outs} TO {app};
-- The heartbeat, by which a replica's lag is measured (REPORTS_DATABASE_URL).
GRANT SELECT, INSERT, UPDATE ({heartbeat_columns}) ON {heartbeat} TO {app};
-- Jobs over many customers, requests that wait for approval, and one-time links for files.
GRANT SELECT, INSERT, UPDATE ({job_columns}) ON {jobs} TO {app};
GRANT SELECT, INSERT, UPDATE ({item_columns}) ON {job_items} TO {app};
GRANT SELECT, INSERT, UPDATE ({request_columns}) ON {approvals} TO {app};
GRANT SELECT, INSERT, UPDATE ({download_columns}) ON {downloads} TO {app};
GRANT SELECT ON {version} TO {app};
-- What numbers the rows that it adds.
{sequences}

-- The reader: for an auditor, and for python -m data.integrity on another machine.
GRANT SELECT ON {customers} TO {reader};
{reader_orders}
GRANT SELECT ON {events} TO {reader};
GRANT SELECT ON {checks} TO {reader};
GRANT SELECT ON {chain} TO {reader};
GRANT SELECT ON {seals} TO {reader};
-- Of tokens it sees who has which role, and no hash.
GRANT SELECT ({token_view}) ON {tokens} TO {reader};
GRANT SELECT ({sign_out_columns}) ON {sign_outs} TO {reader};
GRANT SELECT ON {heartbeat} TO {reader};
GRANT SELECT ON {jobs} TO {reader};
GRANT SELECT ON {job_items} TO {reader};
GRANT SELECT ON {approvals} TO {reader};
-- Of one-time links it sees who asked when, neither for what nor the link.
GRANT SELECT ({download_view}) ON {downloads} TO {reader};
GRANT SELECT ON {version} TO {reader};

{warnings}-- To look at what they may do:
SELECT 'Grants' AS "check", grantee, table_schema, table_name, privilege_type
FROM information_schema.table_privileges
WHERE grantee IN ({app_name}, {reader_name})
UNION ALL
SELECT 'Grants', grantee, table_schema, concat(table_name, '.', column_name), privilege_type
FROM information_schema.column_privileges AS c
WHERE grantee IN ({app_name}, {reader_name})
    AND NOT EXISTS (
        SELECT 1
        FROM information_schema.table_privileges AS t
        WHERE (t.grantee, t.table_schema, t.table_name, t.privilege_type)
            = (c.grantee, c.table_schema, c.table_name, c.privilege_type)
    )
ORDER BY 2, 3, 4, 5;
