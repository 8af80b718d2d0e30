"""The dashboard's entry: who is it, which pages, run the chosen one."""

import streamlit as st

from ui.shell import current_actor, menu

st.session_state.actor = st.session_state.get("actor") or current_actor()
menu(st.session_state.actor).run()
