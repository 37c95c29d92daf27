"""Ground: failpoints. Named places where the self test stops a process dead, to show what the books say then.

Everywhere else `reach` does nothing: no failpoint is armed but by the setting that the self test gives its children.
"""

from __future__ import annotations

import os
import signal
from enum import StrEnum


class Point(StrEnum):
    """The places in the life of a message where a crash could hurt."""

    LEASE_BEFORE_COMMIT = "lease.before_commit"
    LEASE_AFTER_COMMIT = "lease.after_commit"
    ENVELOPE_WRITTEN = "envelope.written"
    ENVELOPE_ANSWERED = "envelope.answered"
    CLAIM_BEFORE_COMMIT = "claim.before_commit"  # the settles of earlier replies are in the same transaction
    CLAIM_AFTER_COMMIT = "claim.after_commit"
    CONTENT_BEFORE_WRITE = "content.before_write"
    CONTENT_HALF_WRITTEN = "content.half_written"
    CONTENT_WRITTEN = "content.written"
    REPLY_READ = "reply.read"
    GIVE_BACK_BEFORE_COMMIT = "give_back.before_commit"
    GIVE_BACK_AFTER_COMMIT = "give_back.after_commit"
    FREEZE_BEFORE_COMMIT = "freeze.before_commit"
    FREEZE_AFTER_COMMIT = "freeze.after_commit"
    FINISH_BEFORE_COMMIT = "finish.before_commit"


_armed: dict[str, int] = {}


def arm(spelled: str) -> None:
    """Let this process and its forks be killed at a point: 'claim.after_commit:7' at the seventh time; '' nowhere.

    Raises ValueError for a point that there isn't.
    """
    _armed.clear()
    if spelled:
        name, _, times = spelled.partition(":")
        _armed[Point(name)] = int(times or 1)


def reach(point: Point) -> None:
    """Die here if it is time to."""
    if _armed and point in _armed:
        _armed[point] -= 1
        if not _armed[point]:
            os.write(2, f"\nfailpoint {point}\n".encode())  # the self test reads it in the log
            os.kill(os.getpid(), signal.SIGKILL)


def armed(point: Point) -> bool:
    """Whether this process is to die at a point: then what is otherwise one step may be taken in two."""
    return bool(_armed) and point in _armed
