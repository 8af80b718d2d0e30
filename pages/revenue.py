"""Revenue: what the orders add up to by month, and what of it a hard delete would have taken away."""

import streamlit as st

from data import integrity
from data.access import Permission
from data.months import without_gaps
from ui import charts, checking, revenue
from ui.downloads import show_export
from ui.shell import open_page
from ui.text import typed

here = open_page("Revenue", Permission.READ_REVENUE)
settings = here.database.settings

answer = st.container()
with st.container(horizontal=True, vertical_alignment="bottom"):
    with here.careful():
        first, last, words = revenue.period_picker(settings.database_url)
        screen = revenue.read_screen(settings.database_url, first, last)
    here.as_of(screen.at)
    currency = revenue.currency_picker(screen.months, settings)
    st.space("stretch")
    st.page_link("pages/integrity.py", label="Financial Integrity", icon=":material/verified:", width="content")
    st.page_link("pages/report.py", label="Monthly Report", icon=":material/print:", width="content")

months = without_gaps([m for m in screen.months if m.currency == currency])
if not months:
    answer.write(f"No orders {words}.")
    with here.careful():
        elsewhere = revenue.where_orders_are(settings.database_url) if first else ""
    hint = elsewhere or "When there are orders, their revenue by month is drawn here."
    st.info(hint, icon=":material/bar_chart:")
    st.stop()

total = integrity.add_up(months)[0]
finding = revenue.finding(total, words, settings.money.decimals)
answer.write(typed(finding))
revenue.key_figures(total, settings)

figure = charts.revenue_by_month(months, unfinished=revenue.this_month(), decimals=settings.money.decimals)
st.plotly_chart(figure, key="chart", config={"displayModeBar": False}, alt=finding)

with st.container(horizontal=True, vertical_alignment="center"):
    revenue.show_last_check(screen, here.zone)
    st.space("stretch")
    checking.check_button(here.database)
    show_export(here, "revenue", {"from": first, "to": last, "currency": currency}, key="download")

checking.show()

with st.expander("The figures behind the chart", icon=":material/table:"):
    revenue.months_table(months, settings)

revenue.top_deleted(screen.top.customers, screen.top.erased, currency, words, here)
if screen.top.at != screen.at:
    st.caption(f"Who they are is as of {screen.top.at.astimezone(here.zone):%H:%M:%S}.")
