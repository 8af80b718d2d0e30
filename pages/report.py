"""Monthly Report: one month for the manager, on paper."""

import streamlit as st

from data.access import Permission
from ui import report, revenue
from ui.shell import open_page

here = open_page("Monthly Report", Permission.READ_REVENUE)
settings = here.database.settings

with st.container(key="not_printed"):
    with st.container(horizontal=True, vertical_alignment="bottom"):
        with here.careful():
            month = report.month_picker(settings.database_url)
            found = report.read_report(settings.database_url, month)
        here.as_of(found.at)
        currency = revenue.currency_picker(found.rows, settings)
        st.caption(
            "Ctrl+P (on a Mac Cmd+P) prints this page, or saves it as a PDF: the report alone, on one sheet of A4."
        )
        st.space("stretch")
        st.page_link("pages/revenue.py", label="Revenue", icon=":material/bar_chart:", width="content")
    with here.careful():
        report.say_another(settings.database_url, month)

st.html(report.page(found, currency, settings, zone=here.zone, by=here.actor.id))
