"""Our own tables: events, the chain's head, checks, seals, tokens, sign-outs, the heartbeat, jobs, approvals, downloads."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import CHAR, BigInteger, Boolean, Column, Index, Integer, MetaData, String, Table, Text
from sqlalchemy.dialects.mysql import LONGTEXT, VARCHAR
from sqlalchemy.types import TypeEngine

from data.money import StoredAmount
from data.times import UTCDateTime


@dataclass(frozen=True)
class OwnTables:
    """Our tables; `customer_id` has the type of the mapped key, collation included, so that joins work."""

    events: Table
    chain: Table
    checks: Table
    seals: Table
    tokens: Table
    sign_outs: Table
    heartbeat: Table
    jobs: Table
    job_items: Table
    approvals: Table
    downloads: Table

    @property
    def all(self) -> list[Table]:
        """Every one, in the order in which they are made."""
        first = [self.events, self.chain, self.checks, self.seals, self.tokens, self.sign_outs, self.heartbeat]
        return [*first, self.jobs, self.job_items, self.approvals, self.downloads]


LongText = Text().with_variant(LONGTEXT(), "mysql", "mariadb")
# Currencies, which MariaDB's other collations would compare without case and accents.
ExactText = String(64).with_variant(VARCHAR(64, charset="utf8mb4", collation="utf8mb4_bin"), "mysql", "mariadb")


def own_tables(id_type: TypeEngine[Any]) -> OwnTables:
    """Our tables beside customers whose key is of this type."""
    metadata = MetaData()
    # utf8mb4 because MariaDB's default may be latin1; InnoDB because elsewhere nothing rolls back.
    options: dict[str, Any] = {
        "mysql_engine": "InnoDB",
        "mysql_charset": "utf8mb4",
        "mariadb_engine": "InnoDB",
        "mariadb_charset": "utf8mb4",
    }
    events = Table(
        "evenbooks_events",
        metadata,
        Column("id", BigInteger().with_variant(Integer(), "sqlite"), primary_key=True, autoincrement=False),
        Column("at", UTCDateTime(), nullable=False),
        Column("action", String(40), nullable=False),
        Column("actor", String(255), nullable=False),
        Column("door", String(40), nullable=False),
        Column("reason", String(40)),
        Column("customer_id", id_type),
        Column("batch_id", String(40)),
        Column("body", LongText, nullable=False),
        Column("prev", CHAR(64), nullable=False),
        Column("hash", CHAR(64), nullable=False),
        Column("note", Text()),
        Column("note_salt", CHAR(32)),
        Index("idx_evenbooks_events_customer", "customer_id", "id"),
        Index("idx_evenbooks_events_batch", "batch_id", "id"),
        **options,
    )
    chain = Table(
        "evenbooks_chain",
        metadata,
        Column("id", Integer, primary_key=True, autoincrement=False),
        Column("event_id", BigInteger().with_variant(Integer(), "sqlite"), nullable=False),
        Column("hash", CHAR(64), nullable=False),
        **options,
    )
    checks = Table(
        "evenbooks_checks",
        metadata,
        Column("id", BigInteger().with_variant(Integer(), "sqlite"), primary_key=True, autoincrement=True),
        Column("snapshot_at", UTCDateTime(), nullable=False),
        Column("even", Boolean(create_constraint=False), nullable=False),
        Column("unseen", Integer, nullable=False),
        Column("report", LongText, nullable=False),
        **options,
    )
    seals = Table(
        "evenbooks_seals",
        metadata,
        Column("event_id", BigInteger().with_variant(Integer(), "sqlite"), primary_key=True, autoincrement=False),
        Column("currency", ExactText, primary_key=True),
        Column("month", CHAR(7), nullable=False),
        Column("orders", BigInteger().with_variant(Integer(), "sqlite"), nullable=False),
        Column("all_orders", BigInteger().with_variant(Integer(), "sqlite"), nullable=False),
        Column("total", StoredAmount(), nullable=False),
        Column("checksum", CHAR(64), nullable=False),
        Column("mapping", CHAR(64), nullable=False),
        Column("sealed_at", UTCDateTime(), nullable=False),
        Column("actor", String(255), nullable=False),
        Column("detail", LongText, nullable=False),
        Column("unsealed_event_id", BigInteger().with_variant(Integer(), "sqlite")),
        **options,
    )
    tokens = Table(
        "evenbooks_tokens",
        metadata,
        Column("id", CHAR(12), primary_key=True),
        Column("name", ExactText, nullable=False),
        Column("hash", CHAR(64), nullable=False),
        Column("role", String(40), nullable=False),
        Column("owner", String(255), nullable=False),
        Column("made_at", UTCDateTime(), nullable=False),
        Column("expires_at", UTCDateTime()),
        Column("last_used_at", UTCDateTime()),
        Column("revoked_at", UTCDateTime()),
        **options,
    )
    sign_outs = Table(
        "evenbooks_sign_outs",
        metadata,
        Column("person", CHAR(64), primary_key=True),
        Column("at", UTCDateTime(), nullable=False),
        **options,
    )
    heartbeat = Table(
        "evenbooks_heartbeat",
        metadata,
        Column("id", Integer, primary_key=True, autoincrement=False),
        Column("beat", CHAR(32), nullable=False),
        Column("at", UTCDateTime(), nullable=False),
        **options,
    )
    jobs = Table(
        "evenbooks_jobs",
        metadata,
        Column("id", CHAR(32), primary_key=True),
        Column("kind", String(40), nullable=False),
        Column("state", String(40), nullable=False),
        Column("actor", String(255), nullable=False),
        Column("role", String(40), nullable=False),
        Column("door", String(40), nullable=False),
        Column("standing", LongText),
        Column("reason", String(40), nullable=False),
        Column("note", Text()),
        Column("made_at", UTCDateTime(), nullable=False),
        Column("ended_at", UTCDateTime()),
        Column("total", Integer, nullable=False),
        Column("done", Integer, nullable=False),
        Column("changed", Integer, nullable=False),
        Column("preview", LongText, nullable=False),
        Column("undo_of", CHAR(32)),
        Column("request_id", BigInteger().with_variant(Integer(), "sqlite")),
        Column("owner", CHAR(32)),
        Column("lease_until", UTCDateTime()),
        Column("error", Text()),
        **options,
    )
    job_items = Table(
        "evenbooks_job_items",
        metadata,
        Column("job_id", CHAR(32), primary_key=True),
        Column("number", Integer, primary_key=True, autoincrement=False),
        Column("customer_id", id_type, nullable=False),
        Column("seen", String(40)),
        Column("result", String(40)),
        Column("words", Text()),
        Column("event_id", BigInteger().with_variant(Integer(), "sqlite")),
        Index("idx_evenbooks_job_items_customer", "customer_id"),
        **options,
    )
    approvals = Table(
        "evenbooks_approvals",
        metadata,
        Column("id", BigInteger().with_variant(Integer(), "sqlite"), primary_key=True, autoincrement=False),
        Column("kind", String(40), nullable=False),
        Column("state", String(40), nullable=False),
        Column("customer_id", id_type),
        Column("job_id", CHAR(32)),
        Column("actor", String(255), nullable=False),
        Column("owner", String(255)),
        Column("role", String(40), nullable=False),
        Column("door", String(40), nullable=False),
        Column("reason", String(40), nullable=False),
        Column("requested_at", UTCDateTime(), nullable=False),
        Column("expires_at", UTCDateTime(), nullable=False),
        Column("decided_at", UTCDateTime()),
        Column("decided_by", String(255)),
        Column("decision_id", BigInteger().with_variant(Integer(), "sqlite")),
        Column("names", LongText, nullable=False),
        Index("idx_evenbooks_approvals_state", "state", "id"),
        Index("idx_evenbooks_approvals_customer", "customer_id", "state"),
        **options,
    )
    downloads = Table(
        "evenbooks_downloads",
        metadata,
        Column("id", CHAR(64), primary_key=True),
        Column("actor", String(255), nullable=False),
        Column("what", LongText, nullable=False),
        Column("made_at", UTCDateTime(), nullable=False),
        Column("expires_at", UTCDateTime(), nullable=False),
        Column("used_at", UTCDateTime()),
        **options,
    )
    return OwnTables(events, chain, checks, seals, tokens, sign_outs, heartbeat, jobs, job_items, approvals, downloads)
