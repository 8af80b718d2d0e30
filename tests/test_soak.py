"""The soak's own judgement: what is trouble on a page, what must have happened, and memory that goes on growing. Nobody
clicks here."""

from __future__ import annotations

import asyncio
import math

import pandas as pd
import pyarrow
import pytest
from streamlit.proto.Alert_pb2 import Alert
from streamlit.proto.Delta_pb2 import Delta

from bench.memory import growth
from bench.people import HABITS, NOBODY, deal
from bench.soak import REQUESTS, SHARES, Met, least, verdict
from bench.tab import Tab, Trouble

MINUTE = 60


def sway(second):
    """As a dashboard's memory goes up and down by 4 MB, within a minute and over some."""
    return 1.2 * math.sin(second / 7) + 0.8 * math.sin(second / 41)


@pytest.mark.parametrize(
    ("grown", "held"),
    [
        (lambda second: 0, True),
        (lambda second: 10 * (1 - math.exp(-second / 180)), True),  # what fills up, as it was seen
        (lambda second: 8 if second > 200 else 0, True),  # a step: another table of a dictionary
        (lambda second: 4 if second > 465 else 0, True),  # the same, in the middle of what is judged
        (lambda second: 20 if 400 < second < 430 else 0, True),  # somebody's export
        (lambda second: second / MINUTE, False),
        (lambda second: max(0, second - 300) / MINUTE, False),
        (lambda second: second / MINUTE + (4 if second > 465 else 0), False),
        (lambda second: 20 if second > 200 else 0, False),  # more than the ratio allows, though it grows no more
    ],
    ids=[
        "flat",
        "levels off",
        "a step",
        "a later step",
        "a peak",
        "1 MB a minute",
        "1 MB a minute later",
        "both",
        "a great step",
    ],
)
def test_memory_that_goes_on_growing_is_told_from_what_levels_off(grown, held):
    found = growth([240 + sway(second) + grown(second) for second in range(10 * MINUTE)])
    assert len(found.bounds) == 2
    assert all(found.bounds.values()) is held


def test_a_longer_run_tells_a_smaller_leak():
    found = growth([240 + sway(second) + 0.4 * second / MINUTE for second in range(20 * MINUTE)])
    assert list(found.bounds.values()) == [True, False]


def test_a_short_run_is_not_asked_for_the_slope():
    found = growth([240 + sway(second) for second in range(90)])
    assert found.slope is None
    assert len(found.bounds) == 1


def soaked(*without, memory=(240,) * 60, errors=()):
    """The verdict on a run in which everything happened often enough, but for these kinds."""
    must = least(1, 12, 4)
    met = Met(errors=list(errors))
    for kind, number in must.items():
        met.taken[kind] += [] if kind in without else [0.1] * number
    return verdict(met, must, memory, {}, 60, "", failed=False)


def test_a_soak_is_held_where_everything_happened():
    assert soaked()


@pytest.mark.parametrize("kind", [*SHARES, *REQUESTS])
def test_a_kind_of_action_that_never_happened_is_missed(capsys, kind):
    assert not soaked(kind)
    assert f"MISSED every kind of action happened: no, {kind} 0 times" in capsys.readouterr().out


def test_trouble_is_missed():
    assert not soaked(errors=["person 1: Trouble"])


def test_a_leak_is_missed():
    assert not soaked(memory=[240 + second / MINUTE for second in range(600)])


def test_what_must_happen_suits_the_length_of_a_run():
    short, long = least(1, 12, 4), least(10, 50, 1)
    assert all(1 <= short[kind] < long[kind] for kind in SHARES)
    assert min(least(0.1, 1, 1).values()) == 1


def test_every_habit_is_dealt():
    dealt = deal()
    assert len(dealt) == sum(number for _, number in HABITS)
    assert set(dealt) == {habit for habit, _ in HABITS}


def shown(tab, kind=None, words="", key="", rows=None):
    """An element that came: an alert, or a table of so many rows."""
    delta = Delta()
    if rows is None:
        delta.new_element.alert.body, delta.new_element.alert.format = words, kind
    else:
        frame = delta.new_element.dataframe
        frame.id = f"$$ID-0-{key}"
        stream = pyarrow.BufferOutputStream()
        found = pyarrow.Table.from_pandas(pd.DataFrame({"id": range(rows)}))
        with pyarrow.ipc.new_stream(stream, found.schema) as writer:
            writer.write_table(found)
        frame.arrow_data.data = stream.getvalue().to_pybytes()
    tab._see("look", delta)


@pytest.fixture
def tab():
    """A tab on nothing."""
    return Tab(socket=None, took=lambda action, seconds: None)


def test_an_alert_is_trouble_unless_it_is_success_or_may_be(tab):
    shown(tab, Alert.SUCCESS, "Ana is deleted.")
    shown(tab, Alert.INFO, "Ana was already deleted a minute ago. Nothing changed.")
    tab._judge("look")
    shown(tab, Alert.INFO, "No customer matches, active or deleted.")
    tab._judge("look", NOBODY)
    with pytest.raises(Trouble, match="INFO No customer matches"):
        tab._judge("look")


@pytest.mark.parametrize("kind", [Alert.INFO, Alert.WARNING, Alert.ERROR])
def test_any_other_alert_is_trouble(tab, kind):
    shown(tab, kind, "The database is busy.")
    with pytest.raises(Trouble, match="The database is busy"):
        tab._judge("look", NOBODY)


def test_a_table_must_be_there_and_have_rows(tab):
    with pytest.raises(Trouble, match="nothing is called table"):
        tab.rows()
    shown(tab, key="table-1-2", rows=3)
    assert tab.rows() == 3
    shown(tab, key="table-1-3", rows=0)
    with pytest.raises(Trouble, match="no rows"):
        tab.rows()


def test_so_many_figures_must_be_there(tab):
    with pytest.raises(Trouble, match="0 of metric are on the page, not 4"):
        tab.require(metric=4)


@pytest.mark.parametrize(
    ("before", "after", "counted"),
    [
        ([], [(Alert.SUCCESS, "Ana is back in the customer list.")], "restore"),
        ([], [(Alert.INFO, "Ana is not deleted any more. Nothing changed there.")], "restore, too late"),
        ([], [], None),
        ([(Alert.SUCCESS, "Ana is back in the customer list.")], [], None),  # told of what was done before
        ([], [(Alert.SUCCESS, "Ana is deleted.")], None),
    ],
    ids=["done", "somebody was faster", "nothing told", "an old word", "another word"],
)
def test_a_change_must_be_told(before, after, counted):
    counts = []
    tab = Tab(socket=None, took=lambda action, seconds: counts.append(action))
    for kind, words in before:
        shown(tab, kind, words)

    async def send(*_):
        for kind, words in (*before, *after):
            shown(tab, kind, words)
        return 0.1

    tab._send = send
    change = tab.change("restore", "back in the customer list", click="restore")
    if counted is None:
        with pytest.raises(Trouble, match="nothing tells"):
            asyncio.run(change)
    else:
        assert asyncio.run(change) is (counted == "restore")
    assert counts == ([counted] if counted else [])
