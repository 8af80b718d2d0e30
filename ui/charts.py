"""The charts. Here alone amounts become doubles: for drawing."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

import plotly.graph_objects as go

from data.records import MonthlyRevenue
from ui import text
from ui.theme import colours

HARD_DELETE = "What a hard delete would show"


def revenue_by_month(rows: Sequence[MonthlyRevenue], *, unfinished: str, decimals: int) -> go.Figure:
    """Stacked months of one currency: active, no customer, missing customer, deleted on top; the total as a line.

    The deleted slice is the top one, so its lower edge is what a hard delete would have left.
    `unfinished` is the current month (YYYY-MM), which is hatched.
    """
    c = colours()
    labels = [text.month(row.month, unfinished=row.month == unfinished) for row in rows]
    parts = [
        ("Active customers", c.active, [row.active for row in rows]),
        ("No customer", c.no_customer, [row.no_customer for row in rows]),
        ("Missing customer", c.missing, [row.missing_customer for row in rows]),
        ("Deleted customers", c.deleted, [row.deleted for row in rows]),
    ]
    figure = go.Figure()
    hatch = ["/" if row.month == unfinished else "" for row in rows]
    for name, colour, values in parts:
        if name != "Missing customer" or any(values):
            figure.add_bar(
                name=name,
                x=labels,
                y=_drawn(values),
                customdata=[text.amount(v, decimals) for v in values],
                hovertemplate="%{customdata}",
                marker={
                    "color": colour,
                    "pattern": {"shape": hatch, "fillmode": "overlay", "fgcolor": c.paper, "solidity": 0.3, "size": 7},
                },
            )
    total = [row.total for row in rows]
    left = [row.total - row.deleted for row in rows]
    _line(figure, HARD_DELETE, labels, left, decimals, {"color": c.text, "width": 1.5, "dash": "dot"})
    _line(figure, "Total", labels, total, decimals, {"color": c.text, "width": 1})
    figure.update_layout(
        barmode="relative",
        bargap=0.25,
        height=340,
        margin={"l": 8, "r": 8, "t": 8, "b": 8},
        hovermode="x unified",
        legend={"orientation": "h", "y": 1.02, "yanchor": "bottom", "x": 0, "traceorder": "normal", "title": ""},
        xaxis={"type": "category", "automargin": True, "nticks": 13, "showgrid": False},
        yaxis={
            "title": "",
            "rangemode": "tozero",
            "tickformat": "~s",
            "gridcolor": c.grid,
            "nticks": 6,
            "zeroline": True,
        },
        font={"color": c.text},
    )
    return figure


def _drawn(values: Sequence[Decimal]) -> list[float]:
    return [float(value) for value in values]


def _line(
    figure: go.Figure, name: str, labels: list[str], values: list[Decimal], decimals: int, line: dict[str, object]
) -> None:
    """A line in steps, from the left edge of the first month to the right edge of the last: a trace goes from middle to
    middle, so a shape adds half a month at both ends, which the legend hides with it."""
    if values:
        first, last, end = float(values[0]), float(values[-1]), len(labels) - 0.5
        path = f"M -0.5,{first:f} L 0,{first:f} M {end - 0.5},{last:f} L {end},{last:f}"
        figure.add_shape(type="path", path=path, line=line, legendgroup=name)
    figure.add_scatter(
        name=name,
        x=labels,
        y=_drawn(values),
        mode="lines",
        line={**line, "shape": "hvh"},
        legendgroup=name,
        customdata=[text.amount(v, decimals) for v in values],
        hovertemplate="%{customdata}",
    )
