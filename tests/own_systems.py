"""More tables for what --detect should find: samples of textbooks, and shapes that companies made themselves."""

from __future__ import annotations

from known_systems import System

SYSTEMS = [
    System(
        "classicmodels",
        """
        CREATE TABLE employees (employeeNumber INT PRIMARY KEY, lastName VARCHAR(50) NOT NULL, firstName VARCHAR(50) NOT NULL, email VARCHAR(100) NOT NULL, jobTitle VARCHAR(50) NOT NULL);
        CREATE TABLE customers (customerNumber INT PRIMARY KEY, customerName VARCHAR(50) NOT NULL, contactLastName VARCHAR(50) NOT NULL, contactFirstName VARCHAR(50) NOT NULL, phone VARCHAR(50) NOT NULL, addressLine1 VARCHAR(50) NOT NULL,
            city VARCHAR(50) NOT NULL, salesRepEmployeeNumber INT, creditLimit DECIMAL(10,2), FOREIGN KEY (salesRepEmployeeNumber) REFERENCES employees (employeeNumber));
        CREATE TABLE orders (orderNumber INT PRIMARY KEY, orderDate DATE NOT NULL, requiredDate DATE NOT NULL, shippedDate DATE, status VARCHAR(15) NOT NULL, comments TEXT, customerNumber INT NOT NULL, FOREIGN KEY (customerNumber) REFERENCES customers (customerNumber));
        CREATE TABLE orderdetails (orderNumber INT NOT NULL, productCode VARCHAR(15) NOT NULL, quantityOrdered INT NOT NULL, priceEach DECIMAL(10,2) NOT NULL, orderLineNumber SMALLINT NOT NULL, PRIMARY KEY (orderNumber, productCode), FOREIGN KEY (orderNumber) REFERENCES orders (orderNumber));
        CREATE TABLE payments (customerNumber INT NOT NULL, checkNumber VARCHAR(50) NOT NULL, paymentDate DATE NOT NULL, amount DECIMAL(10,2) NOT NULL, PRIMARY KEY (customerNumber, checkNumber), FOREIGN KEY (customerNumber) REFERENCES customers (customerNumber));
        INSERT INTO employees VALUES (1002, 'Murphy', 'Diane', 'd@example.com', 'Rep');
        INSERT INTO customers VALUES (103, 'Atelier', 'Schmitt', 'Carine', '40.32.2555', '54, rue', 'Nantes', 1002, 21000), (112, 'Signal', 'King', 'Jean', '7025551838', '8489 Strong', 'Las Vegas', 1002, 71800);
        INSERT INTO orders VALUES (10100, '2003-01-31', '2003-02-13', '2003-02-10', 'Shipped', NULL, 103), (10101, '2003-02-09', '2003-03-18', NULL, 'Cancelled', NULL, 112), (10102, '2003-02-10', '2003-03-18', NULL, 'Shipped', NULL, 112);
        INSERT INTO orderdetails VALUES (10100, 'S18', 3, 10.10, 1), (10100, 'S19', 2, 0.35, 2), (10101, 'S18', 1, 5.05, 1);
        INSERT INTO payments VALUES (103, 'HQ1', '2003-03-10', 31.00), (112, 'BO8', '2003-03-17', 5.05);
        """,
        {"table": "customers", "id": "customerNumber", "name": "customerName", "phone": "phone"},
        {},
        "36.05",
        engines=("mariadb",),
        query=True,
        says=("Cancelled: 1", "payments", "key of several columns"),
    ),
    System(
        "sakila",
        """
        CREATE TABLE staff (staff_id {key}, first_name VARCHAR(45) NOT NULL, last_name VARCHAR(45) NOT NULL, email VARCHAR(50), active BOOLEAN NOT NULL, username VARCHAR(16) NOT NULL);
        CREATE TABLE customer (customer_id {key}, store_id INT NOT NULL, first_name VARCHAR(45) NOT NULL, last_name VARCHAR(45) NOT NULL, email VARCHAR(50), address_id INT NOT NULL, active INT NOT NULL, create_date {time} NOT NULL, last_update {time});
        CREATE TABLE film (film_id {key}, title VARCHAR(255) NOT NULL, rental_rate DECIMAL(4,2) NOT NULL, replacement_cost DECIMAL(5,2) NOT NULL);
        CREATE TABLE rental (rental_id {key}, rental_date {time} NOT NULL, inventory_id INT NOT NULL, customer_id INT NOT NULL REFERENCES customer (customer_id), return_date {time}, staff_id INT NOT NULL REFERENCES staff (staff_id), last_update {time});
        CREATE TABLE payment (payment_id {key}, customer_id INT NOT NULL REFERENCES customer (customer_id), staff_id INT NOT NULL REFERENCES staff (staff_id), rental_id INT REFERENCES rental (rental_id), amount DECIMAL(5,2) NOT NULL, payment_date {time} NOT NULL, last_update {time});
        INSERT INTO staff VALUES (1, 'Mike', 'Hillyer', 'm@example.com', true, 'mike'), (2, 'Jon', 'Stephens', 'j@example.com', true, 'jon');
        INSERT INTO customer VALUES (1, 1, 'MARY', 'SMITH', 'mary@example.com', 5, 1, '2006-02-14 00:00:00', NULL), (2, 1, 'PAT', 'JONES', 'pat@example.com', 6, 0, '2006-02-14 00:00:00', NULL), (3, 1, 'LEE', 'HALL', 'lee@example.com', 7, 1, '2006-02-14 00:00:00', NULL);
        INSERT INTO rental VALUES (1, '2005-05-31 22:53:30', 1, 1, '2005-06-01 22:04:30', 1, NULL), (2, '2005-06-24 22:54:33', 1, 2, NULL, 1, NULL), (3, '2005-06-24 22:54:33', 1, 3, NULL, 1, NULL);
        INSERT INTO payment VALUES (1, 1, 1, 1, 2.99, '2005-05-31 23:00:00', NULL), (2, 2, 1, 2, 0.99, '2005-06-30 23:00:00', NULL), (3, 3, 2, 3, 5.99, '2005-07-01 23:00:00', NULL);
        """,
        {
            "table": "customer",
            "id": "customer_id",
            "name": ["first_name", "last_name"],
            "email": "email",
            "created_at": "create_date",
        },
        {
            "table": "payment",
            "id": "payment_id",
            "customer_id": "customer_id",
            "ordered_at": "payment_date",
            "total": "amount",
        },
        "9.97",
        says=("payments are taken for orders", "rental has no amount", "active is not used"),
    ),
    System(
        "adventureworks",
        """
        CREATE SCHEMA "Person";
        CREATE SCHEMA "Sales";
        CREATE SCHEMA "HumanResources";
        CREATE TABLE "Person"."Person" ("BusinessEntityID" INTEGER PRIMARY KEY, "PersonType" CHAR(2) NOT NULL, "FirstName" VARCHAR(50) NOT NULL, "LastName" VARCHAR(50) NOT NULL, "ModifiedDate" TIMESTAMP NOT NULL);
        CREATE TABLE "HumanResources"."Employee" ("BusinessEntityID" INTEGER PRIMARY KEY, "LoginID" VARCHAR(256) NOT NULL, "HireDate" DATE NOT NULL);
        CREATE TABLE "Sales"."Customer" ("CustomerID" {key}, "PersonID" INTEGER REFERENCES "Person"."Person" ("BusinessEntityID"), "StoreID" INTEGER, "TerritoryID" INTEGER, "AccountNumber" VARCHAR(10) NOT NULL, "ModifiedDate" TIMESTAMP NOT NULL);
        CREATE TABLE "Sales"."SalesOrderHeader" ("SalesOrderID" {key}, "RevisionNumber" SMALLINT NOT NULL, "OrderDate" TIMESTAMP NOT NULL, "DueDate" TIMESTAMP NOT NULL, "ShipDate" TIMESTAMP, "Status" SMALLINT NOT NULL, "CustomerID" INTEGER NOT NULL REFERENCES "Sales"."Customer" ("CustomerID"),
            "SalesPersonID" INTEGER, "SubTotal" NUMERIC(19,4) NOT NULL, "TaxAmt" NUMERIC(19,4) NOT NULL, "Freight" NUMERIC(19,4) NOT NULL, "TotalDue" NUMERIC(19,4) NOT NULL, "ModifiedDate" TIMESTAMP NOT NULL);
        CREATE TABLE "Sales"."SalesOrderDetail" ("SalesOrderID" INTEGER NOT NULL REFERENCES "Sales"."SalesOrderHeader" ("SalesOrderID"), "SalesOrderDetailID" INTEGER NOT NULL, "OrderQty" SMALLINT NOT NULL, "UnitPrice" NUMERIC(19,4) NOT NULL, "UnitPriceDiscount" NUMERIC(19,4) NOT NULL, "LineTotal" NUMERIC NOT NULL, "ModifiedDate" TIMESTAMP NOT NULL, PRIMARY KEY ("SalesOrderID", "SalesOrderDetailID"));
        INSERT INTO "Person"."Person" VALUES (1, 'IN', 'Ken', 'Sanchez', '2014-01-01'), (2, 'IN', 'Terri', 'Duffy', '2014-01-01');
        INSERT INTO "Sales"."Customer" VALUES (11, 1, NULL, 1, 'AW00000011', '2014-01-01'), (12, 2, NULL, 1, 'AW00000012', '2014-01-01');
        INSERT INTO "Sales"."SalesOrderHeader" VALUES (43659, 8, '2011-05-31', '2011-06-12', '2011-06-07', 5, 11, 279, 100, 8.5, 2.5, 111, '2011-06-07'), (43660, 8, '2011-06-01', '2011-06-12', '2011-06-07', 5, 12, 279, 10, 0.85, 0.25, 11.1, '2011-06-07');
        """,
        {"table": "Sales.Customer", "id": "CustomerID", "name": "AccountNumber"},
        {
            "table": "Sales.SalesOrderHeader",
            "id": "SalesOrderID",
            "customer_id": "CustomerID",
            "ordered_at": "OrderDate",
            "total": "TotalDue",
        },
        "122.10",
        engines=("postgresql",),
        says=("no column has names",),
    ),
    System(
        "german",
        """
        CREATE TABLE Mitarbeiter (PersonalNr INT PRIMARY KEY, Name VARCHAR(50), EMail VARCHAR(80));
        CREATE TABLE Lieferanten (LieferantenNr INT PRIMARY KEY, Firma VARCHAR(50), Telefon VARCHAR(30), EMail VARCHAR(80));
        CREATE TABLE Kunden (KundenNr INT PRIMARY KEY, Firma VARCHAR(50), Vorname VARCHAR(50), Nachname VARCHAR(50), EMail VARCHAR(80), Telefon VARCHAR(30), Strasse VARCHAR(50), PLZ VARCHAR(5), Ort VARCHAR(50), Gesperrt SMALLINT);
        CREATE TABLE Auftraege (AuftragsNr INT PRIMARY KEY, KundenNr INT, Auftragsdatum {time}, Lieferdatum {time}, BearbeiterNr INT);
        CREATE TABLE Auftragspositionen (AuftragsNr INT NOT NULL, PosNr INT NOT NULL, ArtikelNr INT, Menge INT, Einzelpreis DECIMAL(10,2), Rabatt INT, PRIMARY KEY (AuftragsNr, PosNr));
        INSERT INTO Kunden VALUES (1, NULL, 'Anna', 'Muster', 'anna@example.com', '030 123', 'Weg 1', '10115', 'Berlin', 0), (2, 'Bau AG', NULL, NULL, 'bau@example.com', '030 124', 'Weg 2', '10115', 'Berlin', 1), (3, NULL, 'Carl', 'Zeit', NULL, NULL, 'Weg 3', '10115', 'Berlin', 0);
        INSERT INTO Auftraege VALUES (100, 1, '2024-01-31 10:00:00', '2024-02-10 00:00:00', 1), (101, 2, '2024-02-29 10:00:00', NULL, 1), (102, NULL, '2024-02-29 10:00:00', NULL, 1);
        INSERT INTO Auftragspositionen VALUES (100, 1, 7, 2, 10.00, 0), (100, 2, 8, 1, 5.50, 10), (101, 1, 7, 1, 10.00, 25), (102, 1, 7, 1, 10.00, 0);
        """,
        {"table": "Kunden", "id": "KundenNr", "name": ["Vorname", "Nachname"], "email": "EMail", "phone": "Telefon"},
        {},
        "42.45",
        engines=("sqlite", "mariadb"),
        query=True,
        says=("No foreign key holds KundenNr", "taken for percent", "Gesperrt is not used (0: 2, 1: 1)"),
    ),
    System(
        "blanks",
        """
        CREATE TABLE `Customer Master` (`Customer No` VARCHAR(10) PRIMARY KEY, `Full Name` VARCHAR(50), `E-Mail Address` VARCHAR(80), `Date Added` {time});
        CREATE TABLE `Sales Orders` (`Order No` {key}, `Customer No` VARCHAR(10), `Order Date` {time}, `Grand Total` DECIMAL(12,2), `100% paid` SMALLINT);
        INSERT INTO `Customer Master` VALUES ('A1', 'Ann Ash', 'ann@example.com', '2024-01-01 00:00:00'), ('B2', 'Bob: Birch', 'bob@example.com', '2024-01-01 00:00:00');
        INSERT INTO `Sales Orders` VALUES (1, 'A1', '2024-01-31 00:00:00', 10.01, 1), (2, 'B2', '2024-02-01 00:00:00', 20.02, 1), (3, '', '2024-02-01 00:00:00', 0.97, 0);
        """,
        {
            "table": "Customer Master",
            "id": "Customer No",
            "name": "Full Name",
            "email": "E-Mail Address",
            "created_at": "Date Added",
        },
        {
            "table": "Sales Orders",
            "id": "Order No",
            "customer_id": "Customer No",
            "ordered_at": "Order Date",
            "total": "Grand Total",
            "no_customer": [""],
        },
        "31.00",
    ),
    System(
        "epochs",
        """
        CREATE TABLE members (member_id {key}, nickname VARCHAR(50), email VARCHAR(80), deleted_at INTEGER);
        CREATE TABLE purchases (purchase_id {key}, member_id INTEGER, amount_minor BIGINT, created_ts BIGINT);
        INSERT INTO members VALUES (1, 'ann', 'ann@example.com', NULL), (2, 'bob', 'bob@example.com', 1700000000);
        INSERT INTO purchases VALUES (1, 1, 1050, 1706745599), (2, 2, 5, 1706745600), (3, -1, 100, 1706745600);
        """,
        {
            "table": "members",
            "id": "member_id",
            "name": "nickname",
            "email": "email",
            "deleted_at": "evenbooks_deleted_at",
        },
        {"no_customer": [-1]},
        "11.55",
        query=True,
        says=("counts cents", "counts seconds since 1970", "deleted_at is there, but it is integer"),
    ),
    System(
        "partners",
        """
        CREATE TABLE partners (id {key}, name VARCHAR(50), type VARCHAR(20) NOT NULL, email VARCHAR(80));
        CREATE TABLE documents (id {key}, doc_type VARCHAR(20), partner_id INTEGER REFERENCES partners (id), doc_date {time}, total REAL, currency CHAR(3));
        INSERT INTO partners VALUES (1, 'Ann', 'customer', 'ann@example.com'), (2, 'Bob', 'customer', 'bob@example.com'), (3, 'Sup', 'supplier', 'sup@example.com');
        INSERT INTO documents VALUES (1, 'invoice', 1, '2024-01-31 00:00:00', 10.10, 'EUR'), (2, 'quote', 1, '2024-02-01 00:00:00', 99, 'EUR'), (3, 'credit_note', 2, '2024-02-01 00:00:00', -0.05, 'EUR'), (4, 'invoice', 2, '2024-02-01 00:00:00', 1, 'EUR');
        """,
        {
            "table": "partners",
            "id": "id",
            "name": "name",
            "email": "email",
            "where": "type = 'customer'",
            "insert": {"type": "customer"},
        },
        {
            "table": "documents",
            "id": "id",
            "customer_id": "partner_id",
            "ordered_at": "doc_date",
            "total": "total",
            "where": "doc_type IN ('invoice', 'credit_note')",
            "currency": "currency",
        },
        "11.05",
        money={"currency": "EUR"},
        says=("quote: 1", "whoever has orders is customer"),
    ),
    System(
        "twins",
        """
        CREATE TABLE customers (id {key}, name VARCHAR(50), email VARCHAR(80));
        CREATE TABLE orders (id {key}, customer_id INTEGER REFERENCES customers (id), order_date {time}, total DECIMAL(10,2), total_cost DECIMAL(10,2));
        CREATE TABLE invoices (id {key}, customer_id INTEGER REFERENCES customers (id), invoice_date {time}, total DECIMAL(10,2));
        INSERT INTO customers VALUES (1, 'Ann', 'ann@example.com'), (2, 'Bob', 'bob@example.com');
        INSERT INTO orders VALUES (1, 1, '2024-01-31 00:00:00', 10, 4), (2, 2, '2024-02-01 00:00:00', 20, 8);
        INSERT INTO invoices VALUES (1, 1, '2024-02-01 00:00:00', 10);
        """,
        {"table": "customers", "id": "id", "name": "name", "email": "email"},
        {"table": "orders", "id": "id", "customer_id": "customer_id", "ordered_at": "order_date", "total": "total"},
        "30.00",
        says=(
            "invoices (total by invoice_date, of customers) also looks like orders",
            'cost = "total_cost" turns profit on',
        ),
    ),
    System(
        "link_by_code",
        """
        CREATE TABLE customers (id {key}, code VARCHAR(10) NOT NULL UNIQUE, name TEXT, email TEXT);
        CREATE TABLE orders (id {key}, customer_code VARCHAR(10) REFERENCES customers (code), ordered DATE, total NUMERIC(10,2));
        INSERT INTO customers VALUES (1,'A','Ann','a@x.com'),(2,'B','Bob','b@x.com');
        INSERT INTO orders VALUES (1,'A','2024-01-01',5),(2,'B','2024-02-01',6);
        """,
        {"table": "customers", "id": "code", "name": "name", "email": "email"},
        {"table": "orders", "id": "id", "customer_id": "customer_code", "ordered_at": "ordered", "total": "total"},
        "11.00",
        engines=("sqlite", "mariadb", "postgresql"),
        says=("which is unique, and not by the primary key",),
    ),
    System(
        "tenants",
        """
        CREATE TABLE customers (tenant INT, id INT NOT NULL UNIQUE, name TEXT, email TEXT, PRIMARY KEY (tenant,id));
        CREATE TABLE orders (tenant INT, id INT NOT NULL UNIQUE, customer_id INT, created_at TIMESTAMPTZ, amount REAL, PRIMARY KEY (tenant,id));
        INSERT INTO customers VALUES (1,1,'Ann','a@x.com'),(2,2,'Bob','b@x.com');
        INSERT INTO orders VALUES (1,1,1,'2024-01-01',5.1),(2,2,2,'2024-02-01',12345.67);
        """,
        {"table": "customers", "id": "id", "name": "name", "email": "email"},
        {"table": "orders", "id": "id", "customer_id": "customer_id", "ordered_at": "created_at", "total": "amount"},
        "12350.77",
        engines=("postgresql",),
        says=("carry a zone",),
    ),
    System(
        "northwind_of_postgresql",
        """
        CREATE TABLE customers (customer_id bpchar NOT NULL PRIMARY KEY, company_name VARCHAR(40) NOT NULL, contact_name VARCHAR(30), phone VARCHAR(24));
        CREATE TABLE orders (order_id smallint NOT NULL PRIMARY KEY, customer_id bpchar REFERENCES customers, employee_id smallint, order_date date, required_date date, shipped_date date, freight real, ship_name varchar(40));
        CREATE TABLE order_details (order_id smallint NOT NULL REFERENCES orders, product_id smallint NOT NULL, unit_price real NOT NULL, quantity smallint NOT NULL, discount real NOT NULL, PRIMARY KEY (order_id, product_id));
        INSERT INTO customers VALUES ('ALFKI','Alfreds','Maria','030-00'),('BONAP','Bon','Lau','91.24');
        INSERT INTO orders VALUES (1,'ALFKI',1,'1996-07-04','1996-08-01',NULL,32.38,'x'),(2,'BONAP',1,'1996-08-04','1996-08-01',NULL,32.38,'x');
        INSERT INTO order_details VALUES (1,1,14.4,12,0.15),(1,2,9.8,10,0),(2,1,263.5,3,0.05);
        """,
        {"table": "customers", "id": "customer_id", "name": "company_name", "phone": "phone"},
        {},
        "995.855",
        engines=("postgresql",),
        query=True,
        says=("0 to 1 in the sample",),
    ),
    System(
        "tpch",
        """
        CREATE TABLE customer (c_custkey INT PRIMARY KEY, c_name VARCHAR(25), c_address VARCHAR(40), c_nationkey INT, c_phone CHAR(15), c_acctbal DECIMAL(15,2));
        CREATE TABLE orders (o_orderkey INT PRIMARY KEY, o_custkey INT, o_orderstatus CHAR(1), o_totalprice DECIMAL(15,2), o_orderdate DATE, o_clerk CHAR(15));
        CREATE TABLE lineitem (l_orderkey INT, l_linenumber INT, l_quantity DECIMAL(15,2), l_extendedprice DECIMAL(15,2), l_discount DECIMAL(15,2), l_shipdate DATE, PRIMARY KEY (l_orderkey,l_linenumber));
        INSERT INTO customer VALUES (1,'Ann','x',1,'12345',1),(2,'Bob','x',1,'12346',1);
        INSERT INTO orders VALUES (1,1,'O',100.5,'1996-01-02','c'),(2,2,'F',10.5,'1996-02-02','c');
        """,
        {"table": "customer", "id": "c_custkey", "name": "c_name", "phone": "c_phone"},
        {
            "table": "orders",
            "id": "o_orderkey",
            "customer_id": "o_custkey",
            "ordered_at": "o_orderdate",
            "total": "o_totalprice",
        },
        "111.00",
        engines=("sqlite", "mariadb", "postgresql"),
    ),
    System(
        "bikestores",
        """
        CREATE SCHEMA sales;
        CREATE TABLE sales.customers (customer_id {key}, first_name TEXT, last_name TEXT, phone TEXT, email TEXT, street TEXT);
        CREATE TABLE sales.staffs (staff_id {key}, first_name TEXT, last_name TEXT, email TEXT);
        CREATE TABLE sales.orders (order_id {key}, customer_id INT REFERENCES sales.customers ON DELETE CASCADE, order_status SMALLINT, order_date DATE, required_date DATE, shipped_date DATE, staff_id INT REFERENCES sales.staffs);
        CREATE TABLE sales.order_items (order_id INT REFERENCES sales.orders, item_id INT, quantity INT, list_price NUMERIC(10,2), discount NUMERIC(4,2), PRIMARY KEY (order_id,item_id));
        INSERT INTO sales.customers VALUES (1,'Ann','Ash','12345','a@x.com','s'),(2,'Bob','B','12346','b@x.com','s');
        INSERT INTO sales.staffs VALUES (1,'S','T','s@x.com'),(2,'S','T','s@x.com');
        INSERT INTO sales.orders VALUES (1,1,4,'2016-01-01','2016-01-03',NULL,2),(2,2,4,'2016-02-01','2016-01-03',NULL,2);
        INSERT INTO sales.order_items VALUES (1,1,1,599.99,0.2),(1,2,2,100,0.07),(2,1,1,10,0.05);
        """,
        {
            "table": "sales.customers",
            "id": "customer_id",
            "name": ["first_name", "last_name"],
            "email": "email",
            "phone": "phone",
        },
        {},
        "675.492",
        engines=("postgresql",),
        query=True,
        says=("RED", "ON DELETE CASCADE", "until then the check warns"),
    ),
    System(
        "erpnext",
        """
        CREATE TABLE `tabCustomer` (name VARCHAR(140) PRIMARY KEY, creation DATETIME(6), modified DATETIME(6), customer_name VARCHAR(140), customer_group VARCHAR(140), disabled TINYINT(1) NOT NULL DEFAULT 0, email_id VARCHAR(140), mobile_no VARCHAR(140));
        CREATE TABLE `tabSales Order` (name VARCHAR(140) PRIMARY KEY, creation DATETIME(6), docstatus INT, customer VARCHAR(140), customer_name VARCHAR(140), transaction_date DATE, grand_total DECIMAL(21,9), base_grand_total DECIMAL(21,9), currency VARCHAR(140), status VARCHAR(140));
        CREATE TABLE `tabSales Invoice` (name VARCHAR(140) PRIMARY KEY, creation DATETIME(6), docstatus INT, customer VARCHAR(140), posting_date DATE, grand_total DECIMAL(21,9), outstanding_amount DECIMAL(21,9), currency VARCHAR(140));
        INSERT INTO `tabCustomer` VALUES ('CUST-1',NULL,NULL,'Ann','x',0,'a@x.com','12345'),('CUST-2',NULL,NULL,'Bob','x',1,'b@x.com','12346');
        INSERT INTO `tabSales Order` VALUES ('SO-1',NULL,1,'CUST-1','Ann','2024-01-01',10,10,'INR','To Bill'),('SO-2',NULL,2,'CUST-2','Bob','2024-02-01',20,20,'INR','Cancelled');
        INSERT INTO `tabSales Invoice` VALUES ('SI-1',NULL,1,'CUST-1','2024-01-01',10,10,'INR');
        """,
        {
            "table": "tabCustomer",
            "id": "name",
            "name": "customer_name",
            "email": "email_id",
            "phone": "mobile_no",
            "created_at": "creation",
        },
        {
            "table": "tabSales Order",
            "id": "name",
            "customer_id": "customer",
            "ordered_at": "transaction_date",
            "total": "grand_total",
            "currency": "currency",
        },
        "30.00",
        engines=("mariadb",),
        money={"currency": "INR"},
        says=("tabSales Invoice (grand_total by posting_date, of tabCustomer) also looks like orders: 1 rows",),
    ),
    System(
        "olist",
        """
        CREATE TABLE customers (customer_id TEXT PRIMARY KEY, customer_unique_id TEXT, customer_zip_code_prefix INT, customer_city TEXT, customer_state TEXT);
        CREATE TABLE orders (order_id TEXT PRIMARY KEY, customer_id TEXT, order_status TEXT, order_purchase_timestamp TEXT, order_approved_at TEXT, order_delivered_customer_date TEXT);
        CREATE TABLE order_items (order_id TEXT, order_item_id INT, product_id TEXT, seller_id TEXT, price REAL, freight_value REAL);
        CREATE TABLE order_payments (order_id TEXT, payment_sequential INT, payment_type TEXT, payment_value REAL);
        CREATE TABLE sellers (seller_id TEXT PRIMARY KEY, seller_city TEXT);
        INSERT INTO customers VALUES ('c1','u1',1,'SP','SP'),('c2','u2',1,'SP','SP');
        INSERT INTO orders VALUES ('o1','c1','delivered','2017-10-02 10:56:33','2017-10-02 11:07:15',NULL),('o2','c2','canceled','2017-11-02 10:56:33','2017-10-02 11:07:15',NULL);
        INSERT INTO order_items VALUES ('o1',1,'p','s',10.5,3),('o1',2,'p','s',10.5,3),('o2',1,'p','s',1,3);
        """,
        {"table": "customers", "id": "customer_id", "name": "customer_unique_id"},
        {},
        "22.00",
        engines=("sqlite",),
        query=True,
        says=("has no quantity, so each row counts with its price", "AS status"),
    ),
    System(
        "no_rows",
        """
        CREATE TABLE customers (id {key}, name TEXT, email TEXT);
        CREATE TABLE orders (id {key}, customer_id INT REFERENCES customers (id), created_at TIMESTAMP, total NUMERIC);
        """,
        {"table": "customers", "id": "id", "name": "name", "email": "email"},
        {"table": "orders", "id": "id", "customer_id": "customer_id", "ordered_at": "created_at", "total": "total"},
        "0",
        engines=("sqlite", "postgresql"),
        says=("has no rows, so names alone decided", "There are no orders yet."),
    ),
]
