"""One meaning, one colour, in light and dark; and the one style block."""

from __future__ import annotations

from dataclasses import dataclass

import streamlit as st


@dataclass(frozen=True)
class Colours:
    """The colours of the meanings, and of text on them."""

    active: str
    deleted: str
    no_customer: str
    missing: str
    even: str
    on_active: str
    on_deleted: str
    on_even: str
    text: str
    grid: str
    paper: str


LIGHT = Colours(
    "#2E6FDB",
    "#E0A100",
    "#8A94A6",
    "#C9284F",
    "#187A4C",
    "#FFFFFF",
    "#1B1500",
    "#FFFFFF",
    "#1B2430",
    "#DDE2EA",
    "#FFFFFF",
)
DARK = Colours(
    "#6FA8FF",
    "#FFC94D",
    "#A7B0C0",
    "#FF6B8B",
    "#4CC38A",
    "#0A1628",
    "#1B1500",
    "#06150D",
    "#E8ECF2",
    "#2E3845",
    "#11161D",
)

# Of the reasons, by their place in the list: of one lightness, so that none stands out, and at least 3:1 on both papers. The
# patterns tell them apart without colour; as many as the product's reasons and six of the company. The last is of deletions
# that no event of ours tells the reason of.
REASONS = (
    "#8E63C7",
    "#14868A",
    "#A8693A",
    "#B8569E",
    "#7A8030",
    "#6E6A86",
    "#4B7FA3",
    "#C2614F",
    "#5E8550",
    "#6A6FC4",
    "#8F5468",
    "#977526",
)
PATTERNS = ("", "/", ".", "\\", "-", "+", "|", "x")
UNTOLD = "#857A6B"


def colours() -> Colours:
    """The colours of the viewer's theme."""
    return DARK if st.context.theme.type == "dark" else LIGHT


def style() -> None:
    """What no option does: dark words on the dark theme's light blue, yellow for View Deleted Customers, green for Restore Customer, less room above the title and in the verdict, captions that can be read, no search in lists but ours, a
    search box as wide as a phone."""
    c = colours()

    def rule(key: str, background: str, text: str) -> str:
        button = f".st-key-{key} button"
        return (
            f"{button}:not(:disabled), {button}:not(:disabled):hover, {button}:not(:disabled):active"
            f" {{background:{background};border-color:{background};color:{text};}}"
            f"{button}:not(:disabled):hover {{filter:brightness(1.08);}}"
            f"{button}:disabled {{background:{background};border-color:{background};color:{text};opacity:0.45;}}"
        )

    restore = "".join(rule(key, c.even, c.on_even) for key in ("restore", "restore_instead"))
    # Streamlit's captions are fainter than 4.5:1, and so is what is folded without a border.
    captions = '[data-testid="stCaptionContainer"] {opacity: 0.8;} [data-testid="stExpander"] summary {opacity: 1;}'
    primary = f'button[kind^="primary"], button[kind^="primary"]:hover {{color: {c.on_active};}}'
    verdict = ".st-key-verdict h2 {padding: 0;}"
    # On a list of one page Streamlit's own search would find only what is on it, and its buttons cover ours.
    toolbar = (
        ':is([class*="st-key-table-"], [class*="st-key-events-"]) [data-testid="stElementToolbar"] {display: none;}'
    )
    narrow = "@media (max-width: 640px) {.st-key-search, .st-key-search_deleted {flex: 1 0 100%;}}"
    room = ".stMainBlockContainer {padding-top: 4.5rem; padding-bottom: 2rem;}"
    st.html(
        f"<style>{room}{captions}{primary}{verdict}{toolbar}{narrow}{rule('view_deleted', c.deleted, c.on_deleted)}{restore}</style>"
    )
