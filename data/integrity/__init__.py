"""The named checks, and `python -m data.integrity`: do the books still add up, and is every deletion accounted for."""

from data.integrity.cli import main
from data.integrity.look import Progress
from data.integrity.report import Check, Finding, Head, Report, add_up, read_kept, read_proof, render, verdict
from data.integrity.run import keep, run, run_and_record

__all__ = [
    "Check",
    "Finding",
    "Head",
    "Progress",
    "Report",
    "add_up",
    "keep",
    "main",
    "read_kept",
    "read_proof",
    "render",
    "run",
    "run_and_record",
    "verdict",
]
