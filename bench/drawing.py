"""The picture of how costs grow: bench/growth.png."""

from __future__ import annotations

from math import log10
from pathlib import Path

import plotly.graph_objects as go
from browser_server import chromium

PICTURE = Path(__file__).resolve().parent / "growth.png"
WIDTH, HEIGHT = 1140, 680
# Far enough apart to be told on white, also by who sees red and green alike.
COLOURS = ("#0072b2", "#c04a00", "#00805f", "#b0518a", "#3a5fcd", "#7a5c00", "#b87700", "#5e3c99", "#333333")
APART = 0.19  # decades between two labels


def draw(sizes: dict[int, dict[str, float]], slopes: dict[str, float]) -> None:
    """A line a cost (seconds by number of orders, both axes logarithmic), named at its end with the slope of its last decade."""
    orders = sorted(sizes)
    names = sorted(slopes, key=lambda name: sizes[orders[-1]][name])
    figure = go.Figure()
    heights = spread([log10(sizes[orders[-1]][name]) for name in names])
    for name, colour, height in zip(names, COLOURS, heights, strict=True):
        taken = [sizes[size][name] for size in orders]
        line = {"color": colour, "width": 2.5}
        figure.add_scatter(x=orders, y=taken, mode="lines+markers", line=line, marker={"size": 7}, showlegend=False)
        end = log10(taken[-1])
        figure.add_annotation(
            x=log10(orders[-1]),
            y=end,
            ax=46,
            ay=(end - height) * (HEIGHT - 150) / span(sizes),
            xanchor="left",
            text=f"{name}, slope {slopes[name]:.1f}".replace("-0.0", "0.0"),
            font={"color": colour, "size": 15},
            showarrow=True,
            arrowhead=0,
            arrowcolor=colour,
            arrowwidth=1,
        )
    ticks = {"gridcolor": "#e4e4e4", "type": "log", "dtick": 1, "linecolor": "#888", "ticks": "outside"}
    low, high = ends(sizes)
    figure.update_layout(
        width=WIDTH,
        height=HEIGHT,
        template="plotly_white",
        font={"family": "sans-serif", "size": 15, "color": "#222"},
        title={
            "text": "What things cost as the orders grow (slope 0: the same at any size; 1: in proportion)",
            "x": 0.02,
        },
        margin={"l": 90, "r": 340, "t": 70, "b": 80},
        xaxis={
            **ticks,
            "title": "orders (a tenth as many customers)",
            "tickvals": orders,
            "tickformat": ",",
            "range": [log10(orders[0]) - 0.1, log10(orders[-1]) + 0.05],
        },
        yaxis={
            **ticks,
            "title": "",
            "range": [low, high],
            "tickvals": [10.0**n for n in range(-4, 3)],
            "ticktext": ["0.1 ms", "1 ms", "10 ms", "0.1 s", "1 s", "10 s", "100 s"],
        },
    )
    with chromium() as browser:
        page = browser.new_page(viewport={"width": WIDTH, "height": HEIGHT}, device_scale_factor=1.5)
        page.set_content(f"<body style='margin:0'>{figure.to_html(include_plotlyjs=True, full_html=False)}</body>")
        page.locator(".main-svg").first.wait_for()
        page.wait_for_timeout(500)
        page.screenshot(path=PICTURE)


def ends(sizes: dict[int, dict[str, float]]) -> tuple[float, float]:
    """The least and the greatest cost as powers of ten, with some room."""
    every = [log10(taken) for costs in sizes.values() for taken in costs.values()]
    return min(every) - 0.3, max(every) + 0.3


def span(sizes: dict[int, dict[str, float]]) -> float:
    """How many decades the costs go over."""
    low, high = ends(sizes)
    return high - low


def spread(heights: list[float]) -> list[float]:
    """The heights of labels, from the lowest: moved as little as keeps them apart."""
    placed = list(heights)
    for _ in range(200):
        for below in range(len(placed) - 1):
            gap = APART - (placed[below + 1] - placed[below])
            if gap > 1e-6:
                placed[below] -= gap / 2
                placed[below + 1] += gap / 2
    return placed
