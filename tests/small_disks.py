"""Disks that are full: a small one in memory, filled up and freed by a test."""

from __future__ import annotations

import os
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


class SmallDisk:
    """A disk of its own, mounted at `home`."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.filler = home / "filler"

    def fill(self, *, leave: int = 0) -> None:
        """Takes all the room that there is, but for so many bytes."""
        with self.filler.open("ab", buffering=0) as file:
            try:
                while True:
                    file.write(b"\0" * 4096)
            except OSError:
                pass
            file.truncate(max(0, file.tell() - leave))

    def free(self) -> None:
        """There is room again."""
        self.filler.unlink(missing_ok=True)


@contextmanager
def small_disk(megabytes: int) -> Iterator[SmallDisk]:
    """A file system of this size, gone afterwards with all that is on it. Takes root, as it is mounted."""
    assert os.geteuid() == 0, "these tests mount a small file system, so they are run as root"
    home = Path(tempfile.mkdtemp(prefix="ebd-"))
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={megabytes}M,mode=0755", "none", home], check=True)
    try:
        yield SmallDisk(home)
    finally:
        subprocess.run(["umount", "-l", home], check=True)
        home.rmdir()
