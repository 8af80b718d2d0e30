"""What the commands that look at the books say when they could not look."""

from __future__ import annotations

import json
import logging
import sys

from data.errors import EvenbooksError, InvalidInput


def could_not_look(error: Exception, verdict: str, *, as_json: bool) -> int:
    """Says why, on standard error or as JSON where `verdict` is null, and returns the exit code 2.

    Whatever the error is: not to have looked is not the same as to have found trouble, which is exit code 1. What is no
    sentence of ours goes to the log with its traceback.
    """
    if not isinstance(error, EvenbooksError):
        logging.getLogger("evenbooks").error("it could not look", exc_info=error)
    if as_json:
        print(json.dumps({verdict: None, "error": {"code": type(error).__name__, "message": str(error)}}))
    else:
        print(error if isinstance(error, InvalidInput) else f"Could not look: {error}", file=sys.stderr)
    return 2
