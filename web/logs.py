"""The log of the server, the same under serve.py and where the API is alone."""

from __future__ import annotations

import logging


def set_up_logging() -> None:
    """Lines on standard error from INFO on, without what others say of each step, and without addresses."""
    for name in ("alembic", "httpx", "httpx2"):  # httpx: each step of each sign-in
        logging.getLogger(name).setLevel(logging.WARNING)
    logging.getLogger("uvicorn.access").disabled = True  # addresses hold the words that people search for
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(name)s %(levelname)s %(message)s")
