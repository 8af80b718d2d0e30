-- Two accounts for this database: one that can do what the application does and nothing else, and one that only reads.
-- Neither may delete, empty, drop or alter anything, and neither may change an order.
-- Replace both passwords, then run this as an administrator. Run the migration with another account, never with these.
CREATE USER IF NOT EXISTS {app} IDENTIFIED BY 'change me';
CREATE USER IF NOT EXISTS {reader} IDENTIFIED BY 'change me';

-- The application: it adds and edits customers, and sets and clears the column that says since when one is deleted.
-- A column that fills itself with the time of a change is among those of UPDATE, because a delete keeps it as it is.
GRANT {customer_rights} ON {customers} TO {app};
{app_orders}
-- Events and checks are added to, and never changed. The head of the chain is moved, a seal is marked when it is opened.
-- MariaDB asks for no right on the columns of INSERT ... ON DUPLICATE KEY UPDATE where there is a right on another column.
-- So this account could alter a row of evenbooks_seals, or of customers by a unique column: python -m data.integrity
-- finds an altered seal, and orders and events that name a customer whose id was altered.
GRANT SELECT, INSERT ON {events} TO {app};
-- Where people are erased (Retention), free notes about them are blanked, and the chain holds their salted hash. By the same
-- gap as above this account could then alter events: python -m data.integrity finds an altered event, and with --since a
-- proof that is kept elsewhere finds a chain that was written anew. So give this right only where people are erased:
-- GRANT UPDATE ({event_columns}) ON {events} TO {app};
GRANT SELECT, INSERT ON {checks} TO {app};
GRANT SELECT, UPDATE ({head_columns}) ON {chain} TO {app};
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

-- To look at what they may do:
SHOW GRANTS FOR {app};
SHOW GRANTS FOR {reader};
