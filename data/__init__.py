"""Everything that touches a database. `from data import Customer` is the guide's model."""

from data.errors import CustomerNotFound
from data.records import Customer, Outcome

__all__ = ["Customer", "CustomerNotFound", "Outcome"]
