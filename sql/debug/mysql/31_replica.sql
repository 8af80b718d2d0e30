-- Replica: what a replica says of how it follows. Needs the right SLAVE MONITOR (REPLICA MONITOR).
-- You should see: no row on a primary. On a replica Slave_IO_Running and Slave_SQL_Running are Yes, Last_Error is empty, and
-- Seconds_Behind_Master is small.
SHOW ALL SLAVES STATUS;
