"""Financial Integrity: are the books even, how is that known, and what cannot be seen."""

from functools import partial

import streamlit as st

from data.access import Permission
from ui import asking, backups, books, checking, evidence, integrity, months, printed, probing, revenue
from ui.downloads import show_export
from ui.shell import open_page
from ui.text import typed

here = open_page("Financial Integrity", Permission.READ_INTEGRITY)
settings = here.database.settings
url, decimals = settings.database_url, settings.money.decimals
with here.careful():
    screen = books.read_books(url)
here.as_of(screen.at)

verdict, identity = st.container(key="verdict"), st.container()
with st.container(horizontal=True, vertical_alignment="center"):
    currency = revenue.currency_picker(screen.months, settings)
    held = [m for m in screen.months if m.currency == currency]
    figure = integrity.draw(held, decimals)
    chart = integrity.check_chart(figure.to_json(), held, currency, decimals)
    report = integrity.shown_report(screen, url)
    whole = integrity.with_chart(report, chart) if report else None
    integrity.badge(screen, report, here.zone)
    st.space("stretch")
    if whole:
        about, limits = integrity.about(settings), integrity.limits(settings)
        printed.download_buttons(here.while_valid(partial(printed.as_proof, whole, screen.seals, limits, about=about)))
        show_export(here, "integrity", {}, key="download")
    checking.check_button(here.database)
with verdict:
    integrity.show_verdict(whole, here.zone)
with identity:
    integrity.equation(screen, report, currency, settings, here.zone)
checking.show(brief=True)
backups.show_line(here)

month = months.asked_month()
names = ["Checks", months.TAB, "Try it", "What it cannot see"]
tabs = st.tabs(names, key="view", bind="query-params")
with tabs[0]:
    if tabs[0].open:
        every = whole.checks if whole else [chart]
        drawn = partial(st.plotly_chart, figure, key="chart", config={"displayModeBar": False}, alt=chart.detail)
        evidence.show_checks(every, here, more={integrity.CHART: drawn})
with tabs[1]:
    if tabs[1].open and month:
        with here.careful(), here.reading() as moment:
            months.show_seal(screen, report, month, here)
            months.show_orders(moment, month, currency, here)
    elif tabs[1].open:
        months.show_months(screen, report, currency, here)
with tabs[2]:
    if tabs[2].open:
        probing.show(here)
with tabs[3]:
    st.markdown("\n".join(f"- {typed(words)}" for words in integrity.limits(settings)))

asking.show_dialog(here)
