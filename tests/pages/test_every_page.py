"""Every page of the menu, opened on every engine: with rows, and with nothing to show."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from screens import said
from shops import make_shop

from ui.menu import PAGES


def test_each_opens_for_an_admin(app: Any) -> None:
    for entry in PAGES:
        at = app(Path(entry.file).stem)
        assert not at.exception, entry.title
        assert entry.title in said(at)


@pytest.mark.parametrize("engine_name", ["sqlite", "postgresql"], indirect=True)
def test_each_opens_where_nobody_ever_bought_anything(visit: Any, empty_url: str) -> None:
    make_shop(empty_url, people=[], sales=[], sections=None).engine.dispose()
    for entry in PAGES:
        at = visit(Path(entry.file).stem, url=empty_url)
        assert not at.exception, entry.title
        assert entry.title in said(at)
