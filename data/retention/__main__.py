"""`python -m data.retention`."""

from data.retention.cli import main

if __name__ == "__main__":
    raise SystemExit(main())
