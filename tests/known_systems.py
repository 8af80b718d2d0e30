"""Tables as well-known systems make them, small, for what --detect should find in each."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

EVERY = ("sqlite", "mariadb", "postgresql")


@dataclass(frozen=True)
class System:
    """Statements that make the tables, with {key} and {time} as in shops.py; what is to be proposed for them; and what all
    orders amount to. `query`: the orders are one. `says` are pieces of the doubts and comments."""

    name: str
    sql: str
    customers: dict[str, Any]
    orders: dict[str, Any]
    total: str
    engines: tuple[str, ...] = EVERY
    query: bool = False
    money: dict[str, Any] = field(default_factory=dict)
    says: tuple[str, ...] = ()


SYSTEMS = [
    System(
        "woocommerce",
        """
        CREATE TABLE wp_users (ID {key}, user_login VARCHAR(60) NOT NULL, user_pass VARCHAR(255) NOT NULL, user_nicename VARCHAR(50) NOT NULL,
            user_email VARCHAR(100) NOT NULL, user_url VARCHAR(100) NOT NULL, user_registered {time} NOT NULL, user_status INT NOT NULL, display_name VARCHAR(250) NOT NULL);
        CREATE TABLE wp_wc_customer_lookup (customer_id {key}, user_id BIGINT, username VARCHAR(60) NOT NULL, first_name VARCHAR(255) NOT NULL,
            last_name VARCHAR(255) NOT NULL, email VARCHAR(100), date_last_active {time} NULL, date_registered {time} NULL, country CHAR(2) NOT NULL);
        CREATE TABLE wp_wc_orders (id {key}, status VARCHAR(20), currency VARCHAR(10), type VARCHAR(20), tax_amount DECIMAL(26,8), total_amount DECIMAL(26,8),
            customer_id BIGINT, billing_email VARCHAR(320), date_created_gmt {time}, date_updated_gmt {time}, parent_order_id BIGINT, payment_method VARCHAR(100));
        CREATE TABLE wp_wc_order_stats (order_id {key}, parent_id BIGINT NOT NULL, date_created {time} NOT NULL, date_paid {time}, num_items_sold INT NOT NULL,
            total_sales DOUBLE PRECISION NOT NULL, tax_total DOUBLE PRECISION NOT NULL, net_total DOUBLE PRECISION NOT NULL, status VARCHAR(20) NOT NULL, customer_id BIGINT NOT NULL);
        CREATE TABLE wp_posts (ID {key}, post_author BIGINT NOT NULL, post_date {time}, post_title VARCHAR(200), post_type VARCHAR(20));
        INSERT INTO wp_users VALUES (3, 'ann', 'x', 'ann', 'ann@example.com', '', '2024-01-01 10:00:00', 0, 'Ann Ash'), (4, 'bob', 'x', 'bob', 'bob@example.com', '', '2024-01-02 10:00:00', 0, 'Bob Birch'),
            (5, 'cyd', 'x', 'cyd', 'cyd@example.com', '', '2024-01-03 10:00:00', 0, 'Cyd Cedar');
        INSERT INTO wp_wc_customer_lookup VALUES (1, 4, 'bob', 'Bob', 'Birch', 'bob@example.com', NULL, NULL, 'DE'), (2, 3, 'ann', 'Ann', 'Ash', 'ann@example.com', NULL, NULL, 'DE'),
            (3, 5, 'cyd', 'Cyd', 'Cedar', 'cyd@example.com', NULL, NULL, 'DE'), (4, NULL, '', 'Dee', 'Guest', 'dee@example.com', NULL, NULL, 'DE');
        INSERT INTO wp_wc_orders VALUES (10, 'wc-completed', 'EUR', 'shop_order', 1.60, 10.00, 3, 'ann@example.com', '2024-02-01 09:00:00', '2024-02-02 09:00:00', 0, 'card'),
            (11, 'wc-completed', 'EUR', 'shop_order', 3.20, 20.00, 4, 'bob@example.com', '2024-02-03 09:00:00', '2024-02-03 09:00:00', 0, 'card'),
            (12, 'wc-completed', 'EUR', 'shop_order', 3.20, 25.50, 5, 'cyd@example.com', '2024-03-03 09:00:00', '2024-03-03 09:00:00', 0, 'card'),
            (13, 'wc-cancelled', 'EUR', 'shop_order', 0.16, 1.00, 0, 'dee@example.com', '2024-03-04 09:00:00', '2024-03-04 09:00:00', 0, 'card'),
            (14, 'wc-completed', 'EUR', 'shop_order_refund', 0, -5.50, 0, NULL, '2024-03-05 09:00:00', '2024-03-05 09:00:00', 12, NULL);
        INSERT INTO wp_wc_order_stats VALUES (10, 0, '2024-02-01 09:00:00', NULL, 1, 10, 1.6, 8.4, 'wc-completed', 2), (11, 0, '2024-02-03 09:00:00', NULL, 1, 20, 3.2, 16.8, 'wc-completed', 1);
        """,
        {
            "table": "wp_users",
            "id": "ID",
            "name": "display_name",
            "email": "user_email",
            "created_at": "user_registered",
        },
        {
            "table": "wp_wc_orders",
            "id": "id",
            "customer_id": "customer_id",
            "ordered_at": "date_created_gmt",
            "total": "total_amount",
            "no_customer": [0],
            "currency": "currency",
        },
        "51.00",
        engines=("mariadb",),
        money={"currency": "EUR"},
        says=("shop_order_refund", "wc-cancelled: 1"),
    ),
    System(
        "prestashop",
        """
        CREATE TABLE ps_customer (id_customer {key}, id_shop_group INT NOT NULL, id_gender INT NOT NULL, company VARCHAR(255), firstname VARCHAR(255) NOT NULL, lastname VARCHAR(255) NOT NULL,
            email VARCHAR(255) NOT NULL, passwd VARCHAR(255) NOT NULL, birthday DATE, newsletter SMALLINT NOT NULL, active SMALLINT NOT NULL, deleted SMALLINT NOT NULL, date_add {time} NOT NULL, date_upd {time} NOT NULL);
        CREATE TABLE ps_customer_group (id_customer INT NOT NULL, id_group INT NOT NULL, PRIMARY KEY (id_customer, id_group));
        CREATE TABLE ps_address (id_address {key}, id_customer INT NOT NULL, lastname VARCHAR(255) NOT NULL, firstname VARCHAR(255) NOT NULL, phone VARCHAR(32), address1 VARCHAR(128), date_add {time} NOT NULL);
        CREATE TABLE ps_orders (id_order {key}, reference VARCHAR(9), id_customer INT NOT NULL, id_cart INT NOT NULL, id_currency INT NOT NULL, id_address_delivery INT NOT NULL, current_state INT NOT NULL,
            payment VARCHAR(255) NOT NULL, total_discounts DECIMAL(20,6) NOT NULL, total_paid DECIMAL(20,6) NOT NULL, total_paid_tax_incl DECIMAL(20,6) NOT NULL, total_paid_tax_excl DECIMAL(20,6) NOT NULL,
            total_paid_real DECIMAL(20,6) NOT NULL, total_products DECIMAL(20,6) NOT NULL, total_shipping DECIMAL(20,6) NOT NULL, invoice_date {time}, delivery_date {time}, valid INT NOT NULL, date_add {time} NOT NULL, date_upd {time} NOT NULL);
        CREATE TABLE ps_order_detail (id_order_detail {key}, id_order INT NOT NULL, product_id INT NOT NULL, product_quantity INT NOT NULL, product_price DECIMAL(20,6) NOT NULL, total_price_tax_incl DECIMAL(20,6) NOT NULL);
        CREATE TABLE ps_cart (id_cart {key}, id_customer INT NOT NULL, id_currency INT NOT NULL, date_add {time} NOT NULL);
        INSERT INTO ps_customer VALUES (1, 1, 1, NULL, 'John', 'Doe', 'pub@example.com', 'x', NULL, 0, 1, 0, '2024-01-01 00:00:00', '2024-01-01 00:00:00'), (2, 1, 1, 'Acme', 'Jane', 'Roe', 'jane@example.com', 'x', NULL, 0, 1, 1, '2024-01-01 00:00:00', '2024-01-01 00:00:00');
        INSERT INTO ps_address VALUES (1, 1, 'Doe', 'John', '0123456', 'Main 1', '2024-01-01 00:00:00');
        INSERT INTO ps_orders VALUES (1, 'AAA', 1, 1, 1, 1, 5, 'card', 0, 61.80, 61.80, 51.00, 0, 49.00, 12.80, NULL, NULL, 0, '2024-05-01 10:00:00', '2024-05-02 10:00:00'),
            (2, 'BBB', 2, 2, 1, 1, 6, 'card', 0, 69.90, 69.90, 60.00, 69.90, 55.00, 14.90, '2024-06-01 10:00:00', NULL, 1, '2024-06-01 10:00:00', '2024-06-02 10:00:00');
        INSERT INTO ps_order_detail VALUES (1, 1, 1, 1, 49, 49), (2, 2, 1, 1, 55, 55);
        INSERT INTO ps_cart VALUES (1, 1, 1, '2024-05-01 09:00:00'), (2, 2, 1, '2024-06-01 09:00:00');
        """,
        {
            "table": "ps_customer",
            "id": "id_customer",
            "name": ["firstname", "lastname"],
            "email": "email",
            "created_at": "date_add",
        },
        {
            "table": "ps_orders",
            "id": "id_order",
            "customer_id": "id_customer",
            "ordered_at": "date_add",
            "total": "total_paid",
        },
        "131.70",
        engines=("mariadb",),
        says=("deleted is not used (0: 1, 1: 1)",),
    ),
    System(
        "magento",
        """
        CREATE TABLE customer_group (customer_group_id {key}, customer_group_code VARCHAR(32) NOT NULL);
        CREATE TABLE customer_entity (entity_id {key}, website_id SMALLINT, email VARCHAR(255), group_id SMALLINT NOT NULL, store_id SMALLINT, created_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP NOT NULL,
            is_active SMALLINT NOT NULL, prefix VARCHAR(40), firstname VARCHAR(255), middlename VARCHAR(255), lastname VARCHAR(255), dob DATE);
        CREATE TABLE sales_order (entity_id {key}, state VARCHAR(32), status VARCHAR(32), customer_id INTEGER REFERENCES customer_entity (entity_id) ON DELETE SET NULL, base_grand_total DECIMAL(20,4), grand_total DECIMAL(20,4), subtotal DECIMAL(20,4),
            tax_amount DECIMAL(20,4), total_paid DECIMAL(20,4), total_due DECIMAL(20,4), total_refunded DECIMAL(20,4), shipping_amount DECIMAL(20,4), total_qty_ordered DECIMAL(12,4), customer_is_guest SMALLINT, customer_email VARCHAR(128), customer_firstname VARCHAR(128),
            order_currency_code VARCHAR(3), base_currency_code VARCHAR(3), increment_id VARCHAR(50), created_at {time} NOT NULL, updated_at {time} NOT NULL, CONSTRAINT so_customer FOREIGN KEY (customer_id) REFERENCES customer_entity (entity_id) ON DELETE SET NULL);
        CREATE TABLE sales_order_item (item_id {key}, order_id INTEGER NOT NULL, qty_ordered DECIMAL(12,4), price DECIMAL(12,4), row_total DECIMAL(20,4), created_at {time});
        CREATE TABLE sales_order_grid (entity_id INTEGER NOT NULL PRIMARY KEY, status VARCHAR(32), customer_id INTEGER, base_grand_total DECIMAL(20,4), grand_total DECIMAL(20,4), created_at {time});
        CREATE TABLE sales_invoice (entity_id {key}, order_id INTEGER NOT NULL, grand_total DECIMAL(20,4), created_at {time});
        CREATE TABLE quote (entity_id {key}, created_at {time}, customer_id INTEGER, customer_email VARCHAR(255), grand_total DECIMAL(20,4), is_active SMALLINT);
        INSERT INTO customer_group VALUES (1, 'General');
        INSERT INTO customer_entity VALUES (1, 1, 'a@example.com', 1, 1, '2024-01-01 00:00:00', 1, NULL, 'Ada', NULL, 'Lo', NULL), (2, 1, 'b@example.com', 1, 1, '2024-01-01 00:00:00', 1, NULL, 'Ben', NULL, 'Mo', NULL);
        INSERT INTO sales_order VALUES (1, 'complete', 'complete', 1, 100, 90.5, 80, 5, 90.5, 0, NULL, 5.5, 2, 0, 'a@example.com', 'Ada', 'USD', 'EUR', '100001', '2024-01-31 23:00:00', '2024-02-01 00:00:00'),
            (2, 'canceled', 'canceled', NULL, 10, 9.5, 8, 1, NULL, 9.5, NULL, 0.5, 1, 1, 'g@example.com', NULL, 'USD', 'EUR', '100002', '2024-02-10 23:00:00', '2024-02-12 00:00:00'),
            (3, 'complete', 'complete', 2, 10, 10, 8, 1, 10, 0, NULL, 1, 1, 0, 'b@example.com', 'Ben', 'USD', 'EUR', '100003', '2024-02-11 23:00:00', '2024-02-12 00:00:00');
        INSERT INTO sales_order_grid VALUES (1, 'complete', 1, 100, 90.5, '2024-01-31 23:00:00'), (2, 'canceled', NULL, 10, 9.5, '2024-02-10 23:00:00'), (3, 'complete', 2, 10, 10, '2024-02-11 23:00:00');
        INSERT INTO quote VALUES (1, '2024-01-31 22:00:00', 1, 'a@example.com', 90.5, 0), (2, '2024-01-31 22:00:00', 2, 'b@example.com', 77, 1);
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
        "110.00",
        engines=("mariadb",),
        money={"currency": "USD"},
        says=("RED", "ON DELETE SET NULL"),
    ),
    System(
        "opencart",
        """
        CREATE TABLE oc_customer (customer_id {key}, customer_group_id INT NOT NULL, firstname VARCHAR(32) NOT NULL, lastname VARCHAR(32) NOT NULL, email VARCHAR(96) NOT NULL, telephone VARCHAR(32) NOT NULL,
            ip VARCHAR(40) NOT NULL, status SMALLINT NOT NULL, date_added {time} NOT NULL);
        CREATE TABLE oc_order (order_id {key}, invoice_no INT NOT NULL, customer_id INT NOT NULL, customer_group_id INT NOT NULL, firstname VARCHAR(32) NOT NULL, lastname VARCHAR(32) NOT NULL, email VARCHAR(96) NOT NULL, telephone VARCHAR(32) NOT NULL,
            total DECIMAL(15,4) NOT NULL, order_status_id INT NOT NULL, commission DECIMAL(15,4) NOT NULL, currency_id INT NOT NULL, currency_code VARCHAR(3) NOT NULL, currency_value DECIMAL(15,8) NOT NULL, date_added {time} NOT NULL, date_modified {time} NOT NULL);
        CREATE TABLE oc_order_total (order_total_id {key}, order_id INT NOT NULL, code VARCHAR(32) NOT NULL, title VARCHAR(255) NOT NULL, value DECIMAL(15,4) NOT NULL);
        CREATE TABLE oc_customer_transaction (customer_transaction_id {key}, customer_id INT NOT NULL, order_id INT NOT NULL, amount DECIMAL(15,4) NOT NULL, date_added {time} NOT NULL);
        INSERT INTO oc_customer VALUES (1, 1, 'Ada', 'Lo', 'a@example.com', '123456', '::1', 1, '2024-01-01 00:00:00'), (2, 1, 'Ben', 'Mo', 'b@example.com', '123457', '::1', 1, '2024-01-01 00:00:00');
        INSERT INTO oc_order VALUES (1, 0, 1, 1, 'Ada', 'Lo', 'a@example.com', '123456', 10.5, 5, 0, 1, 'GBP', 1, '2024-01-05 00:00:00', '2024-03-01 00:00:00'), (2, 0, 0, 1, 'Gus', 'Est', 'g@example.com', '1', 20.25, 5, 0, 1, 'GBP', 1, '2024-02-05 00:00:00', '2024-03-01 00:00:00'),
            (3, 0, 2, 1, 'Ben', 'Mo', 'b@example.com', '123457', 30, 0, 0, 2, 'USD', 1.3, '2024-02-06 00:00:00', '2024-03-01 00:00:00');
        INSERT INTO oc_customer_transaction VALUES (1, 1, 1, -5, '2024-02-06 00:00:00');
        """,
        {
            "table": "oc_customer",
            "id": "customer_id",
            "name": ["firstname", "lastname"],
            "email": "email",
            "phone": "telephone",
            "created_at": "date_added",
        },
        {
            "table": "oc_order",
            "id": "order_id",
            "customer_id": "customer_id",
            "ordered_at": "date_added",
            "total": "total",
            "no_customer": [0],
            "currency": "currency_code",
        },
        "60.75",
        engines=("mariadb",),
        money={"currency": "GBP"},
        says=("several currencies (GBP, USD)",),
    ),
    System(
        "odoo",
        """
        CREATE TABLE res_company (id {key}, name VARCHAR(100) NOT NULL, email VARCHAR(100));
        CREATE TABLE res_partner (id {key}, name VARCHAR(100), company_id INTEGER REFERENCES res_company (id), create_date TIMESTAMP, display_name VARCHAR(100), email VARCHAR(100), phone VARCHAR(40), mobile VARCHAR(40), street VARCHAR(100),
            is_company BOOLEAN, active BOOLEAN, type VARCHAR(20), customer_rank INTEGER, supplier_rank INTEGER, write_date TIMESTAMP);
        CREATE TABLE res_users (id {key}, login VARCHAR(100) NOT NULL, partner_id INTEGER NOT NULL REFERENCES res_partner (id), active BOOLEAN, create_date TIMESTAMP);
        CREATE TABLE sale_order (id {key}, name VARCHAR(40) NOT NULL, partner_id INTEGER NOT NULL REFERENCES res_partner (id), partner_invoice_id INTEGER NOT NULL REFERENCES res_partner (id), partner_shipping_id INTEGER NOT NULL REFERENCES res_partner (id),
            user_id INTEGER REFERENCES res_users (id), company_id INTEGER REFERENCES res_company (id), state VARCHAR(20), date_order TIMESTAMP NOT NULL, create_date TIMESTAMP, validity_date DATE, amount_untaxed NUMERIC, amount_tax NUMERIC, amount_total NUMERIC, currency_id INTEGER);
        CREATE TABLE sale_order_line (id {key}, order_id INTEGER REFERENCES sale_order (id) ON DELETE CASCADE, price_unit NUMERIC, product_uom_qty NUMERIC, discount NUMERIC, price_total NUMERIC, create_date TIMESTAMP);
        INSERT INTO res_company (id, name) VALUES (1, 'Ours');
        INSERT INTO res_partner VALUES (1, 'Ours', 1, '2024-01-01', 'Ours', 'o@example.com', NULL, NULL, 'A', true, true, 'contact', 0, 0, NULL), (2, 'Ann', 1, '2024-01-01', 'Ann', 'ann@example.com', '0123', NULL, 'A', false, true, 'contact', 1, 0, NULL),
            (3, 'Bob', 1, '2024-01-01', 'Bob', 'bob@example.com', '0124', NULL, 'A', false, true, 'contact', 1, 0, NULL), (4, 'Bob, Depot', 1, '2024-01-01', 'Bob, Depot', NULL, NULL, NULL, 'B', false, true, 'delivery', 0, 0, NULL);
        INSERT INTO res_users VALUES (1, 'admin', 1, true, '2024-01-01');
        INSERT INTO sale_order VALUES (1, 'S1', 2, 2, 2, 1, 1, 'sale', '2024-03-01 10:00', '2024-02-01', NULL, 100, 19, 119, 1), (2, 'S2', 3, 3, 4, 1, 1, 'draft', '2024-04-01 10:00', '2024-02-01', NULL, 10.10, 1.90, 12.00, 1);
        INSERT INTO sale_order_line VALUES (1, 1, 100, 1, 0, 119, '2024-02-01'), (2, 2, 10.10, 1, 0, 12, '2024-02-01');
        """,
        {
            "table": "res_partner",
            "id": "id",
            "name": "name",
            "email": "email",
            "phone": "phone",
            "created_at": "create_date",
        },
        {
            "table": "sale_order",
            "id": "id",
            "customer_id": "partner_id",
            "ordered_at": "date_order",
            "total": "amount_total",
        },
        "131.00",
        engines=("postgresql",),
        says=("active is not used", "draft: 1"),
    ),
    System(
        "django",
        """
        CREATE TABLE auth_user (id {key}, password VARCHAR(128) NOT NULL, last_login {time}, is_superuser BOOLEAN NOT NULL, username VARCHAR(150) NOT NULL UNIQUE, first_name VARCHAR(150) NOT NULL, last_name VARCHAR(150) NOT NULL, email VARCHAR(254) NOT NULL,
            is_staff BOOLEAN NOT NULL, is_active BOOLEAN NOT NULL, date_joined {time} NOT NULL);
        CREATE TABLE django_admin_log (id {key}, action_time {time} NOT NULL, user_id INTEGER NOT NULL REFERENCES auth_user (id));
        CREATE TABLE shop_order (id {key}, number VARCHAR(128) NOT NULL, user_id INTEGER REFERENCES auth_user (id), total_incl_tax DECIMAL(12,2) NOT NULL, total_excl_tax DECIMAL(12,2) NOT NULL, shipping_incl_tax DECIMAL(12,2) NOT NULL, currency VARCHAR(12) NOT NULL, status VARCHAR(100) NOT NULL, date_placed {time} NOT NULL);
        CREATE TABLE shop_orderline (id {key}, order_id INTEGER NOT NULL REFERENCES shop_order (id), quantity INTEGER NOT NULL, unit_price_incl_tax DECIMAL(12,2), line_price_incl_tax DECIMAL(12,2) NOT NULL);
        INSERT INTO auth_user VALUES (1, 'x', NULL, true, 'admin', '', '', 'admin@example.com', true, true, '2024-01-01 00:00:00'), (2, 'x', NULL, false, 'ann', 'Ann', 'Ash', 'ann@example.com', false, true, '2024-01-01 00:00:00'), (3, 'x', NULL, false, 'bob', 'Bob', 'Birch', 'bob@example.com', false, false, '2024-01-01 00:00:00');
        INSERT INTO shop_order VALUES (1, '100', 2, 12.00, 10.00, 1, 'GBP', 'Complete', '2024-02-29 12:00:00'), (2, '101', 3, 24.00, 20.00, 1, 'GBP', 'Complete', '2024-03-01 12:00:00'), (3, '102', NULL, 6.00, 5.00, 1, 'GBP', 'Complete', '2024-03-01 12:00:00');
        """,
        {
            "table": "auth_user",
            "id": "id",
            "name": ["first_name", "last_name"],
            "email": "email",
            "created_at": "date_joined",
        },
        {
            "table": "shop_order",
            "id": "id",
            "customer_id": "user_id",
            "ordered_at": "date_placed",
            "total": "total_incl_tax",
            "currency": "currency",
        },
        "42.00",
        money={"currency": "GBP"},
        says=("is_active is not used",),
    ),
    System(
        "rails",
        """
        CREATE TABLE users (id {key}, email VARCHAR(255) NOT NULL, name VARCHAR(255), encrypted_password VARCHAR(255) NOT NULL, discarded_at {time} NULL, created_at {time} NOT NULL, updated_at {time} NOT NULL);
        CREATE TABLE orders (id {key}, user_id BIGINT, total_cents INTEGER NOT NULL, currency VARCHAR(3) NOT NULL, state VARCHAR(20), created_at {time} NOT NULL, updated_at {time} NOT NULL);
        CREATE TABLE line_items (id {key}, order_id BIGINT NOT NULL, quantity INTEGER NOT NULL, price_cents INTEGER NOT NULL, created_at {time} NOT NULL);
        CREATE TABLE schema_migrations (version VARCHAR(255) PRIMARY KEY);
        INSERT INTO users VALUES (1, 'a@example.com', 'Ada', 'x', NULL, '2024-01-01 00:00:00', '2024-01-01 00:00:00'), (2, 'b@example.com', 'Ben', 'x', '2024-05-05 00:00:00', '2024-01-01 00:00:00', '2024-01-01 00:00:00');
        INSERT INTO orders VALUES (1, 1, 1999, 'USD', 'paid', '2024-01-31 00:00:00', '2024-02-01 00:00:00'), (2, 2, 1, 'USD', 'paid', '2024-02-01 00:00:00', '2024-02-01 00:00:00');
        INSERT INTO line_items VALUES (1, 1, 1, 1999, '2024-01-31 00:00:00');
        """,
        {
            "table": "users",
            "id": "id",
            "name": "name",
            "email": "email",
            "created_at": "created_at",
            "deleted_at": "discarded_at",
        },
        {"currency": "currency"},
        "20.00",
        query=True,
        money={"currency": "USD"},
        says=("counts cents", "1 of the sample are deleted already"),
    ),
    System(
        "laravel",
        """
        CREATE TABLE users (id {key}, name VARCHAR(255) NOT NULL, email VARCHAR(255) NOT NULL UNIQUE, email_verified_at {time} NULL, password VARCHAR(255) NOT NULL, remember_token VARCHAR(100), created_at {time} NULL, updated_at {time} NULL);
        CREATE TABLE clients (id {key}, company_name VARCHAR(255), contact_name VARCHAR(255), email VARCHAR(255), phone VARCHAR(50), user_id BIGINT, created_at {time} NULL, updated_at {time} NULL, deleted_at {time} NULL);
        CREATE TABLE invoices (id {key}, client_id BIGINT NOT NULL, user_id BIGINT NOT NULL, invoice_number VARCHAR(30) NOT NULL, issue_date DATE NOT NULL, due_date DATE, subtotal DECIMAL(10,2) NOT NULL, tax DECIMAL(10,2) NOT NULL, total DECIMAL(10,2) NOT NULL, balance DECIMAL(10,2) NOT NULL, status VARCHAR(20) NOT NULL, created_at {time} NULL);
        CREATE TABLE payments (id {key}, invoice_id BIGINT NOT NULL, client_id BIGINT NOT NULL, amount DECIMAL(10,2) NOT NULL, payment_date DATE NOT NULL);
        INSERT INTO users VALUES (1, 'Staff One', 's1@example.com', NULL, 'x', NULL, NULL, NULL), (2, 'Staff Two', 's2@example.com', NULL, 'x', NULL, NULL, NULL);
        INSERT INTO clients VALUES (7, 'Acme', 'Ann', 'acme@example.com', '+1 2345', 1, NULL, NULL, NULL), (8, 'Bolt', 'Bob', 'bolt@example.com', '+1 2346', 2, NULL, NULL, NULL);
        INSERT INTO invoices VALUES (1, 7, 1, 'A1', '2024-03-31', '2024-04-30', 100, 19, 119, 19, 'open', NULL), (2, 8, 1, 'A2', '2024-04-01', '2024-04-30', 10, 1.9, 11.9, 0, 'paid', NULL);
        INSERT INTO payments VALUES (1, 1, 7, 100, '2024-04-02'), (2, 2, 8, 11.9, '2024-04-02');
        """,
        {
            "table": "clients",
            "id": "id",
            "name": "company_name",
            "email": "email",
            "phone": "phone",
            "created_at": "created_at",
            "deleted_at": "deleted_at",
        },
        {"table": "invoices", "id": "id", "customer_id": "client_id", "ordered_at": "issue_date", "total": "total"},
        "130.90",
        says=("payments (amount by payment_date",),
    ),
    System(
        "prisma",
        """
        CREATE TABLE "Customer" ("id" UUID PRIMARY KEY, "firstName" TEXT, "lastName" TEXT, "emailAddress" TEXT UNIQUE, "createdAt" TIMESTAMPTZ NOT NULL DEFAULT now(), "updatedAt" TIMESTAMPTZ NOT NULL, "deletedAt" TIMESTAMPTZ);
        CREATE TABLE "Order" ("id" UUID PRIMARY KEY, "customerId" UUID REFERENCES "Customer" ("id") ON DELETE CASCADE, "totalPrice" DOUBLE PRECISION NOT NULL, "orderedAt" TIMESTAMPTZ, "createdAt" TIMESTAMPTZ NOT NULL DEFAULT now(), "deletedAt" TIMESTAMPTZ);
        INSERT INTO "Customer" VALUES ('11111111-1111-1111-1111-111111111111', 'Ada', 'Lo', 'a@example.com', '2024-01-01', '2024-01-01', NULL), ('22222222-2222-2222-2222-222222222222', 'Ben', 'Mo', 'b@example.com', '2024-01-01', '2024-01-01', NULL);
        INSERT INTO "Order" VALUES ('31111111-1111-1111-1111-111111111111', '11111111-1111-1111-1111-111111111111', 0.1, '2024-03-01', '2024-03-01', NULL), ('32222222-2222-2222-2222-222222222222', '22222222-2222-2222-2222-222222222222', 0.2, '2024-03-02', '2024-03-01', NULL);
        """,
        {
            "table": "Customer",
            "id": "id",
            "name": ["firstName", "lastName"],
            "email": "emailAddress",
            "created_at": "createdAt",
            "deleted_at": "deletedAt",
        },
        {"table": "Order", "id": "id", "customer_id": "customerId", "ordered_at": "orderedAt", "total": "totalPrice"},
        "0.30",
        engines=("postgresql",),
        says=("RED", "ON DELETE CASCADE", "unique key holds emailAddress", "carry a zone"),
    ),
    System(
        "dolibarr",
        """
        CREATE TABLE llx_societe (rowid {key}, nom VARCHAR(128), name_alias VARCHAR(128), entity INTEGER NOT NULL, code_client VARCHAR(24), address VARCHAR(255), phone VARCHAR(20), fax VARCHAR(20), email VARCHAR(128), client SMALLINT, fournisseur SMALLINT, datec {time}, tms {time}, status SMALLINT);
        CREATE TABLE llx_facture (rowid {key}, ref VARCHAR(30) NOT NULL, type SMALLINT NOT NULL, fk_soc INTEGER NOT NULL REFERENCES llx_societe (rowid), datec {time}, datef DATE, date_valid DATE, tms {time}, paye SMALLINT NOT NULL, remise DOUBLE PRECISION, total_tva DECIMAL(24,8), localtax1 DECIMAL(24,8), total_ht DECIMAL(24,8), total_ttc DECIMAL(24,8), fk_statut SMALLINT NOT NULL, multicurrency_code VARCHAR(3), multicurrency_total_ttc DECIMAL(24,8), date_lim_reglement DATE);
        CREATE TABLE llx_propal (rowid {key}, ref VARCHAR(30) NOT NULL, fk_soc INTEGER, datec {time}, datep DATE, total_ht DECIMAL(24,8), total_ttc DECIMAL(24,8));
        CREATE TABLE llx_user (rowid {key}, login VARCHAR(50) NOT NULL, lastname VARCHAR(50), firstname VARCHAR(50), email VARCHAR(255), fk_soc INTEGER, datec {time});
        INSERT INTO llx_societe VALUES (1, 'Acme', NULL, 1, 'CU1', 'Rue 1', '0123456', NULL, 'acme@example.com', 1, 0, '2024-01-01 00:00:00', NULL, 1), (2, 'Bolt', NULL, 1, 'CU2', 'Rue 2', '0123457', NULL, 'bolt@example.com', 3, 1, '2024-01-01 00:00:00', NULL, 1), (3, 'Supplies', NULL, 1, NULL, 'Rue 3', NULL, NULL, NULL, 0, 1, '2024-01-01 00:00:00', NULL, 1);
        INSERT INTO llx_facture VALUES (1, 'FA1', 0, 1, '2024-02-01 00:00:00', '2024-01-31', NULL, NULL, 1, 0, 20, 0, 100, 120, 2, 'EUR', 120, NULL), (2, 'AV1', 2, 2, '2024-02-01 00:00:00', '2024-02-01', NULL, NULL, 1, 0, -2, 0, -10, -12, 2, 'EUR', -12, NULL);
        INSERT INTO llx_propal VALUES (1, 'PR1', 1, '2024-01-01 00:00:00', '2024-01-01', 500, 600);
        """,
        {
            "table": "llx_societe",
            "id": "rowid",
            "name": "nom",
            "email": "email",
            "phone": "phone",
            "created_at": "datec",
        },
        {
            "table": "llx_facture",
            "id": "rowid",
            "customer_id": "fk_soc",
            "ordered_at": "datef",
            "total": "total_ttc",
        },
        "108.00",
        engines=("mariadb", "postgresql"),
        says=("type has 0: 1, 2: 1",),
    ),
]
