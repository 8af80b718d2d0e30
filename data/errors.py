"""What can go wrong, each with a sentence that says what and what next."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

if TYPE_CHECKING:
    from data.records import Customer


class EvenbooksError(Exception):
    """The books could not be read or changed."""

    def __str__(self) -> str:
        return super().__str__() or (self.__doc__ or "").strip()


class ConfigurationError(EvenbooksError):
    """A setting, or what the mapping names, is not right."""


class NotMapped(ConfigurationError):
    """The database has no tables of the usual names, and no others are named."""


class NotMigrated(EvenbooksError):
    """The database is not prepared for soft delete yet."""


class DatabaseUnavailable(EvenbooksError):
    """The database does not answer."""


class DatabaseBusy(DatabaseUnavailable):
    """Others hold the database's locks for too long."""


class OutcomeUnknown(DatabaseUnavailable):
    """The connection to the database broke at the last moment, so it is not known whether this was done. Look before you try again."""


class DatabaseReadOnly(EvenbooksError):
    """The database cannot be written to."""


class StaleReplica(EvenbooksError):
    """Exports are read from a replica that is too far behind, or that cannot be read, so nothing is exported.

    `why` is a key of SENTENCES; `behind` is a lag in words, and `limit` the most allowed, in seconds.
    """

    SENTENCES: ClassVar[dict[str, str]] = {
        "stale": "which is {behind} behind; the limit is {limit} s. Try again once it has caught up.",
        "unrelated": "which does not follow this database, has stopped, or is further behind than can be told. Ask whoever runs it.",
        "unreadable": "which cannot be read at the moment; the server's log says why. Try again in a moment.",
        "unmeasured": "whose lag cannot be measured: this database takes no writing at the moment. Try again later.",
    }

    def __init__(self, why: str = "unreadable", *, behind: str = "", limit: int = 0) -> None:
        words = self.SENTENCES.get(why, self.SENTENCES["unreadable"]).format(behind=behind, limit=limit)
        super().__init__(f"Exports are read from a replica, {words}")


class NotPermitted(EvenbooksError):
    """This role may not do that."""


class TokenRefused(EvenbooksError):
    """This token is not known, has expired, or was revoked."""


class SignInRefused(EvenbooksError):
    """This sign-in is not, or no longer, valid."""


class InvalidInput(EvenbooksError):
    """Something that was entered cannot be used."""

    def __init__(self, message: str, *, field: str | None = None) -> None:
        super().__init__(message)
        self.field = field


class CustomerNotFound(EvenbooksError):
    """There is no such customer."""

    def __init__(self, customer_id: object) -> None:
        super().__init__(f"There is no customer {customer_id}.")
        self.customer_id = customer_id


class Conflict(EvenbooksError):
    """Somebody else changed this meanwhile."""


class EmailTaken(Conflict):
    """The e-mail address belongs to another customer, active or deleted."""

    def __init__(self, customer: Customer) -> None:
        state = "" if customer.deleted_at is None else ", who is deleted"
        super().__init__(f"{customer.email} belongs to {customer.name} (customer {customer.id}){state}.")
        self.customer = customer


class JobNotFound(EvenbooksError):
    """There is no such job."""

    def __init__(self, job_id: object) -> None:
        super().__init__(f"There is no job {job_id}.")


class RequestNotFound(EvenbooksError):
    """There is no such request."""

    def __init__(self, request_id: object) -> None:
        super().__init__(f"There is no request {request_id}.")


class DownloadNotFound(EvenbooksError):
    """There is no such file for you, or no more."""


class Erased(Conflict):
    """The person behind this customer was erased, which nothing takes back."""

    def __init__(self, customer_id: object) -> None:
        super().__init__(f"Customer {customer_id} was erased, and cannot be restored. The orders stay in every report.")


class BooksMoved(EvenbooksError):
    """The change would have moved the reports, so nothing was changed."""


class CheckStopped(EvenbooksError):
    """The check was stopped before its end, so it says nothing."""


class BooksNotEven(EvenbooksError):
    """The books are not even, so this month is not sealed."""


class ChecksumCut(EvenbooksError):
    """The server cut a checksum's text off, so it says nothing."""


class NotProbed(EvenbooksError):
    """The probe did not run to its end, and nothing was changed."""
