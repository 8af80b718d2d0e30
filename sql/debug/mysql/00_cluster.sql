-- Cluster: what a Galera node says of itself. Ask each node: those that are cut off believe in a cluster of their own.
-- One that is cut off answers this alone, and everything below with error 1047.
-- You should see: no row where this is no cluster. Else ON, Primary, Synced, the number of nodes that you have, and the same
-- wsrep_cluster_state_uuid everywhere; wsrep_flow_control_paused near 0.
SELECT
    'Cluster' AS `check`,
    LOWER(s.variable_name) AS name,
    s.variable_value AS found,
    CASE
        WHEN s.variable_name IN ('WSREP_READY', 'WSREP_CONNECTED') AND s.variable_value <> 'ON' THEN 'TAKES NO WORK'
        WHEN s.variable_name = 'WSREP_CLUSTER_STATUS' AND s.variable_value <> 'Primary' THEN 'CUT OFF'
        WHEN s.variable_name = 'WSREP_LOCAL_STATE_COMMENT' AND s.variable_value <> 'Synced' THEN 'NOT SYNCED'
        ELSE ''
    END AS verdict
FROM information_schema.global_status AS s
WHERE @@wsrep_on AND s.variable_name IN (
    'WSREP_READY', 'WSREP_CONNECTED', 'WSREP_CLUSTER_STATUS', 'WSREP_CLUSTER_SIZE', 'WSREP_CLUSTER_STATE_UUID', 'WSREP_LOCAL_STATE_COMMENT',
    'WSREP_INCOMING_ADDRESSES', 'WSREP_FLOW_CONTROL_PAUSED', 'WSREP_LOCAL_CERT_FAILURES', 'WSREP_LOCAL_BF_ABORTS', 'WSREP_LOCAL_RECV_QUEUE', 'WSREP_LAST_COMMITTED'
)
ORDER BY s.variable_name;
