"""Tokens of the API, and sign-outs."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.mysql import VARCHAR

revision = "0003"
down_revision = "0002"

TABLE = {
    "mysql_engine": "InnoDB",
    "mysql_charset": "utf8mb4",
    "mariadb_engine": "InnoDB",
    "mariadb_charset": "utf8mb4",
}


def upgrade() -> None:
    """Makes what is not there: `present` names tables."""
    present = op.get_context().opts["present"]
    time = sa.DateTime().with_variant(sa.String(), "sqlite").with_variant(sa.DateTime(timezone=True), "postgresql")
    exact_text = sa.String(64).with_variant(VARCHAR(64, charset="utf8mb4", collation="utf8mb4_bin"), "mysql", "mariadb")
    if "evenbooks_tokens" not in present:
        op.create_table(
            "evenbooks_tokens",
            sa.Column("id", sa.CHAR(12), primary_key=True),
            sa.Column("name", exact_text, nullable=False),
            sa.Column("hash", sa.CHAR(64), nullable=False),
            sa.Column("role", sa.String(40), nullable=False),
            sa.Column("owner", sa.String(255), nullable=False),
            sa.Column("made_at", time, nullable=False),
            sa.Column("expires_at", time),
            sa.Column("last_used_at", time),
            sa.Column("revoked_at", time),
            **TABLE,
        )
    if "evenbooks_sign_outs" not in present:
        op.create_table(
            "evenbooks_sign_outs",
            sa.Column("person", sa.CHAR(64), primary_key=True),
            sa.Column("at", time, nullable=False),
            **TABLE,
        )
