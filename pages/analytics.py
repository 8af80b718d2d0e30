"""Analytics: deletions and what they mean, with the deleted counted."""

import streamlit as st

from data.access import Permission
from ui import analytics, analytics_charts, revenue
from ui.shell import open_page
from ui.text import typed

here = open_page("Analytics", Permission.READ_REVENUE)
settings = here.database.settings
decimals, now = settings.money.decimals, revenue.this_month()

answer = st.container()
with st.container(horizontal=True, vertical_alignment="bottom"):
    with here.careful():
        first, last, words = revenue.period_picker(settings.database_url)
        screen = analytics.read_screen(settings.database_url)
    here.as_of(screen.at)
    found = screen.found
    currency = revenue.currency_picker([*found.at_rest, *found.won_back.months], settings)
    if screen.lag is not None:
        st.caption(f"Read from the replica, {screen.lag:.1f} s behind.", width="content")

of_currency = [rest for rest in found.at_rest if rest.currency == currency]
at_rest = [rest for rest in of_currency if analytics.within(rest.month, first, last)]
heads = [one for one in found.deletions if analytics.within(one.month, first, last)]
ends = [end for end in found.over_time.months if analytics.within(end.month, first, last)]
won = [row for row in found.won_back.months if row.currency == currency and analytics.within(row.month, first, last)]
axis = analytics.months_of(at_rest, heads, ends, won, first, last)
answer.write(typed(analytics.answer(of_currency, at_rest, currency, words, screen, settings)))
analytics.key_figures(at_rest, heads, currency, words, screen, settings)

st.subheader("Revenue at rest", anchor=False)
stack = analytics.stack_of_rest(at_rest)
if stack:
    months = analytics.without_gaps(month for month, _ in stack)
    finding = analytics.finding_of_stack(stack, months, settings, currency, decimals)
    figure = analytics_charts.by_reason(stack, axis, settings, unfinished=now, decimals=decimals)
    st.plotly_chart(
        figure, key="rest", config=analytics.BAR, alt=f"Revenue at rest by month of the deletion: {finding}"
    )
    st.caption("Revenue at rest, by the month of the deletion (UTC) and its reason. Money counts by order.")
    analytics.stack_table(stack, months, settings, decimals, alt="Revenue at rest, newest first", key="rest_table")
else:
    st.info(
        f"No revenue in {typed(currency)} rests with anybody who was deleted {words}. When it does, it is drawn here.",
        icon=":material/bar_chart:",
    )

st.subheader("Deletions by reason", anchor=False)
stack = analytics.stack_of_heads(heads)
if stack:
    months = analytics.without_gaps(month for month, _ in stack)
    finding = analytics.finding_of_stack(stack, months, settings, None, 0)
    st.write(typed(finding))
    figure = analytics_charts.by_reason(stack, axis, settings, unfinished=now, decimals=0)
    st.plotly_chart(figure, key="deletions", config=analytics.BAR, alt=f"Deletions by month: {finding}")
    st.caption("Heads: each deletion counts once, also where the customer was restored since. Months are in UTC.")
    analytics.stack_table(stack, months, settings, 0, alt="Deletions by reason, newest first", key="deletions_table")
else:
    st.write(f"Nobody was deleted {words}.")

st.subheader("Active against deleted", anchor=False)
finding = analytics.said_over_time(found.over_time, ends)
st.write(finding)
if ends:
    figure = analytics_charts.over_time(ends, axis, unfinished=now)
    st.plotly_chart(figure, key="over_time", config=analytics.BAR, alt=finding)
    st.caption(
        " ".join(["Heads at each month's end; each line has its own scale.", *analytics.doubts(found.over_time)])
    )
    analytics.over_time_table(ends)

st.subheader("Won back", anchor=False)
finding = analytics.said_won_back(found.won_back, won, currency, words, decimals)
st.write(typed(finding))
if won:
    rows = analytics.filled(won, currency)
    figure = analytics_charts.won_back(rows, axis, unfinished=now, decimals=decimals)
    st.plotly_chart(figure, key="won_back", config=analytics.BAR, alt=finding)
    st.caption("Money counts by order: orders placed after the customer's first restore, by their own month.")
    analytics.won_back_table(rows, decimals)

revenue.top_deleted(screen.top, screen.erased, currency, "in all months", here)
