-- Tables: what the server says of the customers, and of the orders where they are one table.
-- You should see: the column that says since when a customer is deleted, with NULL allowed and DEFAULT NULL, no ON UPDATE
-- beside it, and no foreign key of the orders with ON DELETE CASCADE or ON DELETE SET NULL.
SHOW CREATE TABLE {customer_table};
{show_order_table}
