"""Lists of very many customers, where it takes long to count: what is said of those who match."""

from __future__ import annotations

from typing import Any

import pytest
from screens import press, said

from data import queries
from ui import lists


@pytest.fixture(autouse=True)
def _four_are_very_many(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lists, "MANY", 3)
    monkeypatch.setattr(lists, "COUNTED", 1)
    monkeypatch.setattr(lists, "ROWS", 1)


def test_of_those_who_match_no_more_are_counted_than_are_told(app: Any) -> None:
    at = app("customers", search="e")
    assert "1 of more than 1" in said(at)
    assert at.button(key="all").label == "Delete all that match"
    press(at, "all")
    assert "All active customers that match “e”: more than 1 customer." in said(at)


def test_a_list_that_is_whole_is_counted_by_what_it_shows(app: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lists, "ROWS", 50)
    monkeypatch.setattr(queries, "count_customers", _only_deleted)
    at = app("customers", search="e")
    assert " of " in said(at)
    assert "more than" not in said(at)


def _only_deleted(*_given: object, deleted: bool, search: str = "", **_others: object) -> int:
    assert deleted
    assert not search
    return 1
