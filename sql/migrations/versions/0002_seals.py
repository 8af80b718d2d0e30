"""Sealed months."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.mysql import LONGTEXT, VARCHAR

revision = "0002"
down_revision = "0001"

TABLE = {
    "mysql_engine": "InnoDB",
    "mysql_charset": "utf8mb4",
    "mariadb_engine": "InnoDB",
    "mariadb_charset": "utf8mb4",
}


def upgrade() -> None:
    """Makes what is not there: `present` names tables."""
    if "evenbooks_seals" in op.get_context().opts["present"]:
        return
    number = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    exact_text = sa.String(64).with_variant(VARCHAR(64, charset="utf8mb4", collation="utf8mb4_bin"), "mysql", "mariadb")
    op.create_table(
        "evenbooks_seals",
        sa.Column("event_id", number, primary_key=True, autoincrement=False),
        sa.Column("currency", exact_text, primary_key=True),
        sa.Column("month", sa.CHAR(7), nullable=False),
        sa.Column("orders", number, nullable=False),
        sa.Column("all_orders", number, nullable=False),
        sa.Column("total", sa.Numeric(38, 6).with_variant(sa.String(48), "sqlite"), nullable=False),
        sa.Column("checksum", sa.CHAR(64), nullable=False),
        sa.Column("mapping", sa.CHAR(64), nullable=False),
        sa.Column(
            "sealed_at",
            sa.DateTime().with_variant(sa.String(), "sqlite").with_variant(sa.DateTime(timezone=True), "postgresql"),
            nullable=False,
        ),
        sa.Column("actor", sa.String(255), nullable=False),
        sa.Column("detail", sa.Text().with_variant(LONGTEXT(), "mysql", "mariadb"), nullable=False),
        sa.Column("unsealed_event_id", number),
        **TABLE,
    )
