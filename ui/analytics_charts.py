"""The charts of the Analytics page. Amounts become doubles here, for drawing alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal

import plotly.graph_objects as go
from plotly.subplots import make_subplots

from data.analytics import BEFORE, OUTSIDE, AtMonthEnd
from data.records import Figures
from data.settings import Settings
from ui import text
from ui.theme import PATTERNS, REASONS, UNTOLD, colours

# By month (None: no readable time) and reason, what is stacked.
Stack = Mapping[tuple[str | None, str], Decimal]


def label_of(why: str, settings: Settings) -> str:
    """A reason in the company's words; what was before Evenbooks, or past it, says so."""
    if why in (BEFORE, OUTSIDE):
        return f"{why[:1].upper()}{why[1:]}"
    return settings.reason_labels.get(why, why)


def in_order(whys: set[str], settings: Settings) -> list[str]:
    """Reasons in the order of the company's list, then those it has no more, then those that nobody gave."""
    listed = [why for why in settings.reason_labels if why in whys]
    gone = sorted(whys - {*listed, BEFORE, OUTSIDE})
    return [*listed, *gone, *(why for why in (BEFORE, OUTSIDE) if why in whys)]


def by_reason(
    stack: Stack, months: Sequence[str | None], settings: Settings, *, unfinished: str, decimals: int
) -> go.Figure:
    """Stacked months, a colour and a pattern for each reason, the same on every chart whatever is drawn beside it."""
    figure = go.Figure()
    places = {
        why: place for place, why in enumerate(in_order({*settings.reason_labels, *(w for _, w in stack)}, settings))
    }
    for why in in_order({why for _, why in stack}, settings):
        values = [stack.get((month, why), Decimal(0)) for month in months]
        told = why not in (BEFORE, OUTSIDE)
        round_, place = divmod(places[why], len(REASONS))  # the same colour again has another pattern
        pattern = PATTERNS[(places[why] + round_) % len(PATTERNS)] if told else {BEFORE: "x", OUTSIDE: "+"}[why]
        colour = REASONS[place] if told else UNTOLD
        _bars(figure, label_of(why, settings), _labels(months, unfinished), values, colour, pattern, decimals)
    return _laid_out(figure, _labels(months, unfinished))


def won_back(rows: Sequence[Figures], months: Sequence[str | None], *, unfinished: str, decimals: int) -> go.Figure:
    """Revenue after the restore, by month: green, as everything that is restored."""
    figure = go.Figure()
    labels = _labels([row.month for row in rows], unfinished)
    _bars(figure, "Revenue since the restore", labels, [row.total for row in rows], colours().even, "", decimals)
    return _laid_out(figure, _labels(months, unfinished)).update_layout(showlegend=False)


def over_time(ends: Sequence[AtMonthEnd], months: Sequence[str | None], *, unfinished: str) -> go.Figure:
    """Active customers above, deleted below, each with a scale of its own from zero: they are far apart."""
    c = colours()
    labels = _labels([end.month for end in ends], unfinished)
    lines: list[tuple[str, str, str, list[int | None]]] = [
        ("Deleted customers", c.deleted, "dash", [end.deleted for end in ends])
    ]
    if any(end.active is not None for end in ends):
        lines.insert(0, ("Active customers", c.active, "solid", [end.active for end in ends]))
    figure = make_subplots(rows=len(lines), cols=1, shared_xaxes=True, vertical_spacing=0.12)
    for row, (name, colour, dash, values) in enumerate(lines, start=1):
        figure.add_scatter(
            row=row,
            col=1,
            name=name,
            x=labels,
            y=values,
            mode="lines+markers",
            line={"color": colour, "width": 2, "dash": dash},
            marker={"size": 4},
            hovertemplate="%{y:,}",
        )
    _laid_out(figure, _labels(months, unfinished), height=170 * len(lines))
    return figure.update_yaxes(rangemode="tozero", tickformat=",d", gridcolor=c.grid, nticks=4, zeroline=True)


def _labels(months: Sequence[str | None], unfinished: str) -> list[str]:
    return [text.month(month, unfinished=month == unfinished) for month in months]


def _bars(
    figure: go.Figure,
    name: str,
    labels: list[str],
    values: Sequence[Decimal],
    colour: str,
    pattern: str,
    decimals: int,
) -> None:
    c = colours()
    figure.add_bar(
        name=name,
        x=labels,
        y=[float(value) for value in values],
        customdata=[text.amount(value, decimals) for value in values],
        hovertemplate="%{customdata}",
        marker={
            "color": colour,
            "line": {"color": c.paper, "width": 1},
            "pattern": {"shape": pattern, "fillmode": "overlay", "fgcolor": c.paper, "solidity": 0.2, "size": 7},
        },
    )


def _laid_out(figure: go.Figure, labels: list[str], *, height: int = 350) -> go.Figure:
    """The charts stand below one another, so these months, drawn or not, are at the same places in all."""
    c = colours()
    figure.update_layout(
        barmode="relative",
        bargap=0.25,
        height=height,
        margin={"l": 48, "r": 8, "t": 8, "b": 8},
        hovermode="x unified",
        showlegend=True,
        legend={"orientation": "h", "y": 1.02, "yanchor": "bottom", "x": 0, "traceorder": "normal", "title": ""},
        font={"color": c.text},
    )
    ends, order = [-0.5, len(labels) - 0.5], {"categoryorder": "array", "categoryarray": labels}
    figure.update_xaxes(type="category", range=ends, automargin=True, nticks=13, showgrid=False, **order)
    return figure.update_yaxes(
        automargin=False, rangemode="tozero", tickformat="~s", gridcolor=c.grid, nticks=6, zeroline=True
    )
