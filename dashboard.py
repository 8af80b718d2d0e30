"""The dashboard's entry: which pages, run the chosen one. Who is let in, each page asks (ui/shell.py, ui/door.py)."""

from ui.shell import run_menu

run_menu().run()
