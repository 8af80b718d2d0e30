"""Everything that touches a database. `from data import Customer` is the guide's model."""

from data.records import Customer, Outcome

__all__ = ["Customer", "Outcome"]
