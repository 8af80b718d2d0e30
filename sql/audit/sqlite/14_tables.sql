-- Tables: what the database says of the customers, and of the orders where they are one table.
-- You should see: the column that says since when a customer is deleted without NOT NULL and without a default other than
-- NULL, and no foreign key of the orders with ON DELETE CASCADE, SET NULL or SET DEFAULT.
{table_definitions}
{foreign_keys}
