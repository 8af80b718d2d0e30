"""Speed, as ratios of one run; and the soak. Servers and browsers are run by what the tests run them by."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests"))
