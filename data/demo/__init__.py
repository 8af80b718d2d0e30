"""The demo company: a seeded shop with growth, season, refunds, guests and deleted customers, at any size."""

import logging

from data import database as databases
from data.demo.build import Size, ensure_demo, make
from data.settings import load_settings

__all__ = ["Size", "attached", "ensure_demo", "make"]


def attached() -> databases.Database:
    """The attached database; the demo company is made first where nothing else is configured.

    Raises what `data.database.attach` raises.
    """
    if not databases.is_attached():
        ensure_demo(load_settings(), logging.getLogger("evenbooks").info)
    return databases.default()
