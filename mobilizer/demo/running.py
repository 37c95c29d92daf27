"""Demo: one at a time. A lock on the home folder that ends with the process, and says where the running one is."""

from __future__ import annotations

import fcntl
from pathlib import Path
from typing import IO

FILE = "demo.lock"


class AlreadyRunning(RuntimeError):
    """Another demo runs in this home folder; `address` is where, or empty while it comes up."""

    def __init__(self, address: str) -> None:
        super().__init__(address)
        self.address = address


def occupy(home: Path) -> IO[str]:
    """Hold the home folder for as long as the answer is open. Raises AlreadyRunning."""
    home.mkdir(parents=True, exist_ok=True)
    file = (home / FILE).open("a+", encoding="utf-8")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        file.seek(0)
        address = file.read().strip()
        file.close()
        raise AlreadyRunning(address) from None
    announce(file, "")
    return file


def announce(file: IO[str], address: str) -> None:
    """Say where this demo is, to whoever tries to start another."""
    file.seek(0)
    file.truncate()
    file.write(address)
    file.flush()
