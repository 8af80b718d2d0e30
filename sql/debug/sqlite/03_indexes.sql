-- Indexes: those of the customers, and of the orders where they are one table.
-- You should see: one that begins with the column of the deletion and, on the orders, with --revenue-index, one that begins
-- with the customer and one that begins with the date.
{indexes}
