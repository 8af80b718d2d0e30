-- Triggers: those of the customers and the orders, the views over them, and foreign keys of the orders.
-- You should see: with --guard the triggers that begin with evenbooks_, and no foreign key with CASCADE or SET NULL.
{triggers}
