"""Jobs over many customers, requests that wait for approval, one-time links for files; events by batch."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.mysql import LONGTEXT

revision = "0005"
down_revision = "0004"

TABLE = {
    "mysql_engine": "InnoDB",
    "mysql_charset": "utf8mb4",
    "mariadb_engine": "InnoDB",
    "mariadb_charset": "utf8mb4",
}
INDEXES = (
    ("evenbooks_events", "idx_evenbooks_events_batch", ["batch_id", "id"]),
    ("evenbooks_job_items", "idx_evenbooks_job_items_customer", ["customer_id"]),
    ("evenbooks_approvals", "idx_evenbooks_approvals_state", ["state", "id"]),
    ("evenbooks_approvals", "idx_evenbooks_approvals_customer", ["customer_id", "state"]),
)


def upgrade() -> None:
    """Makes what is not there: `present` names tables and `table.index`; `id_type` is the customers' key."""
    options = op.get_context().opts
    present, key = options["present"], options["id_type"]
    number = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    time = sa.DateTime().with_variant(sa.String(), "sqlite").with_variant(sa.DateTime(timezone=True), "postgresql")
    long_text = sa.Text().with_variant(LONGTEXT(), "mysql", "mariadb")
    if "evenbooks_jobs" not in present:
        op.create_table(
            "evenbooks_jobs",
            sa.Column("id", sa.CHAR(32), primary_key=True),
            sa.Column("kind", sa.String(40), nullable=False),
            sa.Column("state", sa.String(40), nullable=False),
            sa.Column("actor", sa.String(255), nullable=False),
            sa.Column("role", sa.String(40), nullable=False),
            sa.Column("door", sa.String(40), nullable=False),
            sa.Column("standing", long_text),
            sa.Column("reason", sa.String(40), nullable=False),
            sa.Column("note", sa.Text()),
            sa.Column("made_at", time, nullable=False),
            sa.Column("ended_at", time),
            sa.Column("total", sa.Integer, nullable=False),
            sa.Column("done", sa.Integer, nullable=False),
            sa.Column("changed", sa.Integer, nullable=False),
            sa.Column("preview", long_text, nullable=False),
            sa.Column("undo_of", sa.CHAR(32)),
            sa.Column("request_id", number),
            sa.Column("owner", sa.CHAR(32)),
            sa.Column("lease_until", time),
            sa.Column("error", sa.Text()),
            **TABLE,
        )
    if "evenbooks_job_items" not in present:
        op.create_table(
            "evenbooks_job_items",
            sa.Column("job_id", sa.CHAR(32), primary_key=True),
            sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
            sa.Column("customer_id", key, nullable=False),
            sa.Column("seen", sa.String(40)),
            sa.Column("result", sa.String(40)),
            sa.Column("words", sa.Text()),
            sa.Column("event_id", number),
            **TABLE,
        )
    if "evenbooks_approvals" not in present:
        op.create_table(
            "evenbooks_approvals",
            sa.Column("id", number, primary_key=True, autoincrement=False),
            sa.Column("kind", sa.String(40), nullable=False),
            sa.Column("state", sa.String(40), nullable=False),
            sa.Column("customer_id", key),
            sa.Column("job_id", sa.CHAR(32)),
            sa.Column("actor", sa.String(255), nullable=False),
            sa.Column("owner", sa.String(255)),
            sa.Column("role", sa.String(40), nullable=False),
            sa.Column("door", sa.String(40), nullable=False),
            sa.Column("reason", sa.String(40), nullable=False),
            sa.Column("requested_at", time, nullable=False),
            sa.Column("expires_at", time, nullable=False),
            sa.Column("decided_at", time),
            sa.Column("decided_by", sa.String(255)),
            sa.Column("decision_id", number),
            sa.Column("names", long_text, nullable=False),
            **TABLE,
        )
    if "evenbooks_downloads" not in present:
        op.create_table(
            "evenbooks_downloads",
            sa.Column("id", sa.CHAR(64), primary_key=True),
            sa.Column("actor", sa.String(255), nullable=False),
            sa.Column("what", long_text, nullable=False),
            sa.Column("made_at", time, nullable=False),
            sa.Column("expires_at", time, nullable=False),
            sa.Column("used_at", time),
            **TABLE,
        )
    for table, index, columns in INDEXES:
        if f"{table}.{index}" not in present:
            op.create_index(index, table, columns)
