"""The heartbeat, by which a replica's lag is measured."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"

TABLE = {
    "mysql_engine": "InnoDB",
    "mysql_charset": "utf8mb4",
    "mariadb_engine": "InnoDB",
    "mariadb_charset": "utf8mb4",
}


def upgrade() -> None:
    """Makes what is not there: `present` names tables."""
    time = sa.DateTime().with_variant(sa.String(), "sqlite").with_variant(sa.DateTime(timezone=True), "postgresql")
    if "evenbooks_heartbeat" not in op.get_context().opts["present"]:
        op.create_table(
            "evenbooks_heartbeat",
            sa.Column("id", sa.Integer, primary_key=True, autoincrement=False),
            sa.Column("beat", sa.CHAR(32), nullable=False),
            sa.Column("at", time, nullable=False),
            **TABLE,
        )
