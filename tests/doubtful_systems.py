"""Tables of which --detect could take the wrong amount without a word: rates, base currencies, parts of a sum, credits."""

from __future__ import annotations

from known_systems import System

PEOPLE = """
        CREATE TABLE customers (id {key}, name VARCHAR(50), email VARCHAR(80));
        INSERT INTO customers VALUES (1, 'Ann', 'ann@example.com'), (2, 'Bob', 'bob@example.com');
"""
CUSTOMERS = {"table": "customers", "id": "id", "name": "name", "email": "email"}
ORDERS = {"table": "orders", "id": "id", "customer_id": "customer_id", "ordered_at": "order_date", "total": "total"}

SYSTEMS = [
    System(
        "magento_base",
        """
        CREATE TABLE customer_entity (entity_id {key}, email VARCHAR(80), created_at {time}, firstname VARCHAR(50), lastname VARCHAR(50));
        CREATE TABLE sales_order (entity_id {key}, customer_id INT REFERENCES customer_entity (entity_id), base_grand_total DECIMAL(20,4), grand_total DECIMAL(20,4), base_to_order_rate DECIMAL(12,4), base_currency_code VARCHAR(3), order_currency_code VARCHAR(3), created_at {time});
        INSERT INTO customer_entity VALUES (1, 'ann@example.com', '2024-01-01 00:00:00', 'Ann', 'Ash'), (2, 'bob@example.com', '2024-01-01 00:00:00', 'Bob', 'Birch');
        INSERT INTO sales_order VALUES (1, 1, 10, 11, 1.1, 'EUR', 'USD', '2024-01-31 00:00:00'), (2, 2, 10, 8, 0.8, 'EUR', 'GBP', '2024-02-01 00:00:00'), (3, 2, 10, 11, 1.1, 'EUR', 'USD', '2024-02-01 00:00:00');
        """,
        {
            "table": "customer_entity",
            "id": "entity_id",
            "name": ["firstname", "lastname"],
            "email": "email",
            "created_at": "created_at",
        },
        {
            "table": "sales_order",
            "id": "entity_id",
            "customer_id": "customer_id",
            "ordered_at": "created_at",
            "total": "grand_total",
            "currency": "order_currency_code",
        },
        "30",
        money={"currency": "USD"},
        engines=("sqlite",),
        says=("sales_order also has base_grand_total with base_currency_code",),
    ),
    System(
        "base_code_alone",
        PEOPLE
        + """
        CREATE TABLE orders (id {key}, customer_id INTEGER, order_date {time}, total DECIMAL(10,2), base_currency CHAR(3));
        INSERT INTO orders VALUES (1, 1, '2024-01-31 00:00:00', 10, 'CHF'), (2, 2, '2024-02-01 00:00:00', 20, 'CHF');
        """,
        CUSTOMERS,
        ORDERS,
        "30",
        engines=("sqlite",),
        says=("orders.base_currency says a currency, but by its name not that of the amount",),
    ),
    System(
        "oscommerce",
        """
        CREATE TABLE customers (customers_id {key}, customers_firstname VARCHAR(64), customers_lastname VARCHAR(64), customers_email_address VARCHAR(96));
        CREATE TABLE customers_info (customers_info_id INTEGER PRIMARY KEY, customers_info_number_of_logons INT);
        CREATE TABLE orders (orders_id {key}, customers_id INTEGER NOT NULL, customers_email_address VARCHAR(96), date_purchased {time}, currency CHAR(3), currency_value DECIMAL(14,6));
        CREATE TABLE orders_total (orders_total_id {key}, orders_id INTEGER NOT NULL, title VARCHAR(255), value DECIMAL(15,4) NOT NULL, class VARCHAR(32) NOT NULL);
        CREATE TABLE orders_products (orders_products_id {key}, orders_id INTEGER NOT NULL, products_price DECIMAL(15,4), products_quantity INT);
        INSERT INTO customers VALUES (1, 'Ann', 'Ash', 'ann@example.com'), (2, 'Bob', 'Birch', 'bob@example.com');
        INSERT INTO customers_info VALUES (1, 5), (2, 6);
        INSERT INTO orders VALUES (1, 1, 'x', '2024-01-31 00:00:00', 'EUR', 1), (2, 2, 'x', '2024-02-01 00:00:00', 'EUR', 1), (3, 2, 'x', '2024-02-01 00:00:00', 'EUR', 1);
        INSERT INTO orders_total VALUES (1, 1, 'Sub-Total', 10, 'ot_subtotal'), (2, 1, 'Tax', 1.9, 'ot_tax'), (3, 1, 'Total', 11.9, 'ot_total'), (4, 2, 'Total', 5, 'ot_total');
        INSERT INTO orders_products VALUES (1, 1, 10, 1), (2, 2, 5, 1);
        """,
        {
            "table": "customers",
            "id": "customers_id",
            "name": ["customers_firstname", "customers_lastname"],
            "email": "customers_email_address",
        },
        {"currency": "currency"},
        "16.9",
        query=True,
        money={"currency": "EUR"},
        says=("an order is its row of orders_total with class = ot_total",),
    ),
    System(
        "opencart_rates",
        PEOPLE
        + """
        CREATE TABLE orders (id {key}, customer_id INTEGER, order_date {time}, total DECIMAL(10,2), currency_code CHAR(3), currency_value DECIMAL(15,8));
        INSERT INTO orders VALUES (1, 1, '2024-01-31 00:00:00', 10, 'EUR', 1), (2, 2, '2024-02-01 00:00:00', 20, 'USD', 1.1);
        """,
        CUSTOMERS,
        {**ORDERS, "currency": "currency_code"},
        "30",
        engines=("sqlite",),
        money={"currency": "EUR"},
        says=("orders.currency_value looks like an exchange rate: the amounts may be in the shop's base currency",),
    ),
    System(
        "price_and_quantity",
        PEOPLE
        + """
        CREATE TABLE orders (id {key}, customer_id INTEGER, order_date {time}, qty INTEGER, price DECIMAL(10,2), discount DECIMAL(4,2));
        INSERT INTO orders VALUES (1, 1, '2024-01-31 00:00:00', 2, 10, 0.1), (2, 2, '2024-02-01 00:00:00', 3, 1.5, 0);
        """,
        CUSTOMERS,
        {},
        "22.5",
        engines=("sqlite",),
        query=True,
        says=("an order is price times qty less discount; if price is of the whole order",),
    ),
    System(
        "lines_and_more",
        PEOPLE
        + """
        CREATE TABLE orders (id {key}, customer_id INTEGER, order_date {time}, ship_via INTEGER, freight DECIMAL(8,2), discount_pct INTEGER, tax_rate DECIMAL(4,2));
        CREATE TABLE order_items (id {key}, order_id INTEGER, quantity INTEGER, unit_price DECIMAL(8,2));
        INSERT INTO orders VALUES (1, 1, '2024-01-31 00:00:00', 3, 5, 10, 0), (2, 2, '2024-02-01 00:00:00', 2, 5, 0, 0);
        INSERT INTO order_items VALUES (1, 1, 2, 10), (2, 2, 1, 5);
        """,
        CUSTOMERS,
        {},
        "25",
        engines=("sqlite",),
        query=True,
        says=("Not in the sum of the lines: orders.freight, orders.discount_pct. If these",),
    ),
    System(
        "credits",
        PEOPLE
        + """
        CREATE TABLE orders (id {key}, customer_id INTEGER, type VARCHAR(20), order_date {time}, total DECIMAL(10,2));
        CREATE TABLE orders_archive (id {key}, customer_id INTEGER, type VARCHAR(20), order_date {time}, total DECIMAL(10,2));
        INSERT INTO orders VALUES (1, 1, 'invoice', '2024-01-31 00:00:00', 10), (2, 2, 'invoice', '2024-02-01 00:00:00', 20), (3, 2, 'credit_note', '2024-02-01 00:00:00', 5), (4, 2, 'invoice', '2024-02-01 00:00:00', NULL);
        INSERT INTO orders_archive VALUES (1, 1, 'invoice', '2023-01-31 00:00:00', 10);
        """,
        CUSTOMERS,
        ORDERS,
        "35",
        says=(
            "Doubts, to be looked at first: - orders.type has credit_note: 1, with amounts that are not negative",
            "NOT IN ('credit_note') as the condition",
            "1 of 4 orders have no total (NULL): they count with 0.",
            "orders_archive has the same columns as orders, and 1 rows",
        ),
    ),
    System(
        "row_security",
        PEOPLE
        + """
        CREATE TABLE orders (id {key}, customer_id INTEGER, order_date {time}, total DECIMAL(10,2));
        ALTER TABLE orders ENABLE ROW LEVEL SECURITY;
        INSERT INTO orders VALUES (1, 1, '2024-01-31 00:00:00', 10), (2, 2, '2024-02-01 00:00:00', 20);
        """,
        CUSTOMERS,
        ORDERS,
        "30",
        engines=("postgresql",),
        says=("orders has row level security",),
    ),
    System(
        "charges",
        """
        CREATE TABLE customers (id VARCHAR(20) PRIMARY KEY, name VARCHAR(50), email VARCHAR(80), created INTEGER);
        CREATE TABLE charges (id VARCHAR(20) PRIMARY KEY, customer VARCHAR(20), amount INTEGER, currency VARCHAR(3), created INTEGER);
        INSERT INTO customers VALUES ('cus_1', 'Ann', 'ann@example.com', 1600000000), ('cus_2', 'Bob', 'bob@example.com', 1600000000);
        INSERT INTO charges VALUES ('ch_1', 'cus_1', 1050, 'usd', 1706745599), ('ch_2', 'cus_2', 5, 'usd', 1706745600);
        """,
        CUSTOMERS,
        {"currency": "currency"},
        "1055",
        query=True,
        money={"currency": "USD"},
        says=("charges.amount holds whole numbers: if these are cents",),
    ),
    System(
        "written_amounts",
        PEOPLE
        + """
        CREATE TABLE orders (id {key}, customer_id INTEGER, order_date {time}, total VARCHAR(20));
        INSERT INTO orders VALUES (1, 1, '2024-01-31 00:00:00', '1,200.50'), (2, 2, '2024-02-01 00:00:00', '$5'), (3, 2, '2024-02-01 00:00:00', '');
        """,
        CUSTOMERS,
        {},
        "1205.5",
        query=True,
        says=("orders.total is text, and every value of the sample is a number with a decimal point",),
    ),
    System(
        "written_with_commas",
        PEOPLE
        + """
        CREATE TABLE orders (id {key}, customer_id INTEGER, order_date {time}, total VARCHAR(20));
        INSERT INTO orders VALUES (1, 1, '2024-01-31 00:00:00', '1.234,56'), (2, 2, '2024-02-01 00:00:00', '-5 €');
        """,
        CUSTOMERS,
        {},
        "1229.56",
        query=True,
        says=("a number with a decimal comma",),
    ),
]
