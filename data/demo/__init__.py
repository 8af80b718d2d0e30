"""The demo company: a seeded shop with growth, season, refunds, guests and deleted customers, at any size."""

from data.demo.build import Size, ensure_demo, make

__all__ = ["Size", "ensure_demo", "make"]
