"""The only reader of the environment and of the configuration file."""

from __future__ import annotations

import hashlib
import json
import re
import tomllib
from pathlib import Path
from typing import Annotated, Any
from zoneinfo import available_timezones

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict
from sqlalchemy.engine import URL

from data.errors import ConfigurationError
from data.urls import parse_url
from data.wording import sentences

EMAIL = re.compile(r"[^@\s]+@[^@\s]+")  # what counts as an address, of customers and of who signs in
ROOT = Path(__file__).resolve().parent.parent
FOLDERS = (Path(), ROOT)  # where the configuration file is looked for: the working folder, then the project's
DEMO_URL = f"sqlite:///{ROOT / 'var' / 'demo.sqlite'}"
# The demo company's tables are ours, so its mapping is known without a file.
DEMO_FILE: dict[str, Any] = {"customers": {"phone": "phone"}, "orders": {"cost": "cost"}}


def _named(value: str) -> str:
    if not value.strip():
        raise ValueError("is empty")
    return value


Name = Annotated[str, AfterValidator(_named)]
Constant = str | int | float | bool


class Section(BaseModel):
    """One table of the file: unknown keys are errors, values never change."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class CustomersMapping(Section):
    """Where the customers are. `model_fields_set` tells what the file names from what is assumed."""

    table: Name = "customers"
    id: Name = "id"
    name: Name | Annotated[list[Name], Field(min_length=1)] = "name"
    email: Name = "email"
    created_at: Name = "created_at"
    deleted_at: Name = "deleted_at"
    phone: Name | None = None
    where: Name | None = None
    insert: dict[str, Constant] = {}
    erase: list[Name] = []

    @property
    def name_columns(self) -> list[str]:
        """The columns that make up the name, in order."""
        return [self.name] if isinstance(self.name, str) else self.name


def _zone(value: str) -> str:
    if value not in available_timezones():
        raise ValueError("is not a time zone; one looks like Australia/Sydney")
    return value


class OrdersMapping(Section):
    """Where the orders are: a table, or a query with the same labels."""

    table: Name = "orders"
    query: Name | None = None
    id: Name = "id"
    customer_id: Name = "customer_id"
    no_customer: list[int | str] = []
    ordered_at: Name = "ordered_at"
    total: Name = "total"
    cost: Name | None = None
    status: Name | None = None
    revenue_statuses: Annotated[list[str | int], Field(min_length=1)] | None = None
    where: Name | None = None
    currency: Name | None = None
    time_zone: Annotated[str, AfterValidator(_zone)] | None = None

    @model_validator(mode="after")
    def _whole(self) -> OrdersMapping:
        if self.query and "table" in self.model_fields_set:
            raise ValueError("names both table and query; one of them is enough")
        if self.revenue_statuses and not self.status:
            raise ValueError("has revenue_statuses, but no status column is named")
        return self


class Money(Section):
    """How amounts are shown, and their currency where orders carry none."""

    currency: Annotated[str, Field(pattern=r"^[A-Z]{3}$")] = "EUR"
    decimals: Annotated[int, Field(ge=0, le=6)] = 2


DEFAULT_REASONS = {
    "requested": "Requested by the customer",
    "duplicate": "Duplicate of another customer",
    "mistake": "Entered by mistake",
    "inactive": "No longer a customer",
    "fraud": "Fraud or abuse",
}
# Codes the product itself writes; `other` also takes free text as its note.
OWN_REASONS = {
    "other": "Other",
    "script": "By a script",
    "undo": "Undone",
    "restored": "Restored by hand",
    "retention": "Retention period over",
    "erasure": "Erasure asked for by the person",
}
ERASING_REASONS = {"retention", "erasure"}


# Claims that people fill in themselves, or that say who somebody is only together with another one.
NO_GROUPS = {
    *("email", "name", "given_name", "family_name", "middle_name", "nickname", "preferred_username", "unique_name"),
    *("upn", "profile", "picture", "website", "gender", "birthdate", "locale", "zoneinfo", "phone_number", "address"),
    *("sub", "iss", "aud", "azp", "nonce", "email_verified"),
}


def _groups_claim(value: str) -> str:
    if value in NO_GROUPS:
        raise ValueError("is not a claim by which the provider grants anything; name one such as groups or roles")
    return value


def _address(value: str) -> str:
    if not EMAIL.fullmatch(value):
        raise ValueError("is not an e-mail address")
    return value


class Subject(Section):
    """One account of one provider, as its ID tokens name it (`iss`, `sub`)."""

    issuer: Name
    subject: Name


class RoleHolders(Section):
    """Who has a role: these accounts, whoever has one of these values in the claim, and these verified addresses."""

    subjects: list[Subject] = []
    claim: list[Name] = []
    emails: list[Annotated[str, AfterValidator(_address)]] = []


class Roles(Section):
    """Who has which role once signed in; `claim` names the claim that `claim` of a role is looked for in."""

    claim: Annotated[Name, AfterValidator(_groups_claim)] = "groups"
    admin: RoleHolders = RoleHolders()
    manager: RoleHolders = RoleHolders()
    staff: RoleHolders = RoleHolders()
    auditor: RoleHolders = RoleHolders()


class Server(Section):
    """Host names under which the server is reached, beside its own (HOST, loopback, that of [auth] redirect_uri).

    `replica_lag` is the most that the replica of REPORTS_DATABASE_URL may be behind, in seconds.
    """

    hosts: list[Name] = []
    replica_lag: Annotated[int, Field(ge=1)] = 60


class Approval(Section):
    """Whether a deletion waits for a second person, and after how many days a request that nobody answered expires."""

    deletion: bool = False
    expires_days: Annotated[int, Field(ge=1, le=365)] = 7


class Retention(Section):
    """After how many days since the deletion a customer is due to be erased; None: nobody ever is.

    `backup_check_days` is how old the last passed backup check, and the copy it checked, may be where many are erased; `erasures` the file outside
    the database to which every erasure is appended, relative to the project's folder.
    """

    days: Annotated[int, Field(ge=1)] | None = None
    backup_check_days: Annotated[int, Field(ge=1)] = 7
    erasures: Name = "var/erasures.jsonl"

    @property
    def file(self) -> Path:
        """The file of erasures."""
        return ROOT / self.erasures


class File(Section):
    """`evenbooks.toml`."""

    customers: CustomersMapping = CustomersMapping()
    orders: OrdersMapping = OrdersMapping()
    money: Money = Money()
    reasons: dict[Annotated[str, Field(pattern=r"^[a-z][a-z0-9_-]{0,39}$")], Name] = DEFAULT_REASONS
    roles: Roles = Roles()
    approval: Approval = Approval()
    retention: Retention = Retention()
    server: Server = Server()


class Environment(BaseSettings):
    """The environment's part; an empty variable counts as unset."""

    model_config = SettingsConfigDict(env_ignore_empty=True, extra="ignore", case_sensitive=False)

    database_url: str | None = Field(default=None, repr=False)
    reports_database_url: str | None = Field(default=None, repr=False)
    evenbooks_config: Path | None = None
    host: str = "127.0.0.1"
    port: Annotated[int, Field(ge=1, le=65535)] = 8501


class Settings(File):
    """Everything that is configured, from the file and the environment."""

    # Not shown, because they may hold passwords; `url` hides its own.
    database_url: str = Field(repr=False)
    reports_database_url: str | None = Field(default=None, repr=False)
    is_demo: bool = False
    host: str = "127.0.0.1"
    port: int = 8501

    @property
    def url(self) -> URL:
        """The database's URL, parsed; printing it hides the password."""
        return parse_url(self.database_url)

    @property
    def reports_url(self) -> URL | None:
        """The replica's URL, parsed likewise; None where there is none."""
        if not self.reports_database_url:
            return None
        url, engine = parse_url(self.reports_database_url, "REPORTS_DATABASE_URL"), self.url.get_backend_name()
        if url.get_backend_name() != engine:
            raise ConfigurationError(
                f"REPORTS_DATABASE_URL names {url.get_backend_name()}, but the database is {engine}; a replica is of the same engine."
            )
        return url

    @property
    def reason_labels(self) -> dict[str, str]:
        """Every reason code with its label, the company's first."""
        return {**self.reasons, **OWN_REASONS}

    @property
    def fingerprint(self) -> str:
        """SHA-256 of what decides the figures: the mapping and the money section."""
        parts = {
            "customers": self.customers.model_dump(mode="json"),
            # A key that came later counts only where it is used, so that older proofs can still be compared.
            "orders": self.orders.model_dump(mode="json", exclude={"time_zone"} if not self.orders.time_zone else None),
            "money": self.money.model_dump(mode="json"),
        }
        return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()


def load_settings(*, config: Path | str | None = None, database_url: str | None = None) -> Settings:
    """Reads environment and file; the two arguments win over the environment.

    Raises ConfigurationError with one sentence a problem, each naming the setting and what was found.
    """
    try:
        environment = Environment()
    except ValidationError as error:
        raise ConfigurationError(sentences(error, "The environment", Environment)) from None
    named = config or environment.evenbooks_config
    path = Path(named) if named else _find_file()
    url = database_url or environment.database_url
    unmapped = File.model_validate(DEMO_FILE if url is None else {})
    file = _read_file(path) if path else unmapped
    settings = Settings(
        **dict(file),
        database_url=url or DEMO_URL,
        # It is the replica of the environment's database, not of another one that is named here.
        reports_database_url=None if database_url else environment.reports_database_url,
        is_demo=url is None,
        host=environment.host,
        port=environment.port,
    )
    _ = settings.url, settings.reports_url
    return settings


def _find_file() -> Path | None:
    """The file where none is named, so that a script that runs elsewhere obeys it too; None where there is none."""
    return next((path for folder in FOLDERS if (path := folder / "evenbooks.toml").exists()), None)


def _read_file(path: Path) -> File:
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ConfigurationError(f"{path}: there is no such file (EVENBOOKS_CONFIG or --config names it).") from None
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"{path} cannot be read: {error}") from None
    except tomllib.TOMLDecodeError as error:
        raise ConfigurationError(f"{path} is not valid TOML: {error}") from None
    try:
        return File.model_validate(content)
    except ValidationError as error:
        raise ConfigurationError(sentences(error, str(path), File)) from None
