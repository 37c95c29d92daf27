"""Bench: the machine. Which core does what, how much memory was used, and how fast this machine signs."""

from __future__ import annotations

import os
import resource
import sys
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa

_STATUS = Path("/proc/self/status")


def cores() -> Sequence[int]:
    """The cores that this process may use; none where the system doesn't say."""
    return sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else ()


def pin(process: int, core: int) -> None:
    """Let a process that has just started use one core alone."""
    os.sched_setaffinity(process, {core})


def cpu_seconds() -> float:
    """CPU time of this process, all its threads together."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def cpu_seconds_of(process: int) -> float:
    """CPU time of a process and of its children that run, as Linux counts it; 0 where nothing does."""
    ticks = 0
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):  # gone meanwhile
            # After the name, which may have any letters in it: state, parent, ... user and system time (proc(5)).
            fields = stat.read_text().rpartition(")")[2].split()
            if process in (int(stat.parent.name), int(fields[1])):
                ticks += int(fields[11]) + int(fields[12])
    return ticks / os.sysconf("SC_CLK_TCK")


def peak_rss_mb() -> float:
    """The most memory this program has had at once, in MB.

    Linux hands getrusage's figure on to a child; the kernel's own of this program starts anew with it.
    """
    if _STATUS.exists():
        line = next(line for line in _STATUS.read_text().splitlines() if line.startswith("VmHWM"))
        return int(line.split()[1]) / 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1024 * 1024 if sys.platform == "darwin" else 1024)


def signatures_per_second(seconds: float) -> float:
    """RSA-2048 signatures (PKCS #1 v1.5, SHA-256) a second of CPU time, in one thread."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    scheme, algorithm = padding.PKCS1v15(), hashes.SHA256()
    key.sign(b"warm", scheme, algorithm)
    count, began = 0, time.thread_time()
    while (took := time.thread_time() - began) < seconds:
        for _ in range(50):
            key.sign(b"as long as the headers of a mail" * 40, scheme, algorithm)
        count += 50
    return count / took
