"""The chain of events, its head, and the results of the integrity check."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.mysql import LONGTEXT

revision = "0001"
down_revision = None

TABLE = {
    "mysql_engine": "InnoDB",
    "mysql_charset": "utf8mb4",
    "mariadb_engine": "InnoDB",
    "mariadb_charset": "utf8mb4",
}


def upgrade() -> None:
    """Makes what is not there: `present` names tables and `table.index`; `id_type` is the customers' key."""
    options = op.get_context().opts
    present = options["present"]
    number = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    time = sa.DateTime().with_variant(sa.String(), "sqlite").with_variant(sa.DateTime(timezone=True), "postgresql")
    long_text = sa.Text().with_variant(LONGTEXT(), "mysql", "mariadb")
    if "evenbooks_events" not in present:
        op.create_table(
            "evenbooks_events",
            sa.Column("id", number, primary_key=True, autoincrement=False),
            sa.Column("at", time, nullable=False),
            sa.Column("action", sa.String(40), nullable=False),
            sa.Column("actor", sa.String(255), nullable=False),
            sa.Column("door", sa.String(40), nullable=False),
            sa.Column("reason", sa.String(40)),
            sa.Column("customer_id", options["id_type"]),
            sa.Column("batch_id", sa.String(40)),
            sa.Column("body", long_text, nullable=False),
            sa.Column("prev", sa.CHAR(64), nullable=False),
            sa.Column("hash", sa.CHAR(64), nullable=False),
            sa.Column("note", sa.Text()),
            sa.Column("note_salt", sa.CHAR(32)),
            **TABLE,
        )
    if "evenbooks_events.idx_evenbooks_events_customer" not in present:
        op.create_index("idx_evenbooks_events_customer", "evenbooks_events", ["customer_id", "id"])
    if "evenbooks_chain" not in present:
        op.create_table(
            "evenbooks_chain",
            sa.Column("id", sa.Integer, primary_key=True, autoincrement=False),
            sa.Column("event_id", number, nullable=False),
            sa.Column("hash", sa.CHAR(64), nullable=False),
            **TABLE,
        )
    if "evenbooks_checks" not in present:
        op.create_table(
            "evenbooks_checks",
            sa.Column("id", number, primary_key=True, autoincrement=True),
            sa.Column("snapshot_at", time, nullable=False),
            sa.Column("even", sa.Boolean(create_constraint=False), nullable=False),
            sa.Column("unseen", sa.Integer, nullable=False),
            sa.Column("report", long_text, nullable=False),
            **TABLE,
        )
