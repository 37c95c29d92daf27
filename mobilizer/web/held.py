"""Web: a blast that holds itself. What a person can do about it, in words."""

from __future__ import annotations

from datetime import datetime

from mobilizer import jobs
from mobilizer.http import installation
from mobilizer.problems import N_, Problem
from mobilizer.web.words import _

NO_ROOM = {"held.no_room"}
REFUSED = {"held.refused", "Mail after mail is rejected by policy."}
FAILED = {"The sending software failed. Its log says how.", "held.unfrozen"}
BOUND = {"%(host)s is not this machine, and this installation may not send elsewhere."}

READ_THE_REPLIES = N_(
    "Read the replies beneath, under “Rejected”. Content, reputation or limits are the usual causes, and to go on "
    "against them harms your name. Then resume, or cancel."
)
READ_THE_LOG = N_("Nobody was skipped. Let the operator find the fault in the worker's log and mend it; then resume.")
MAKE_ROOM = N_(
    "Let the operator make room on that disk: then it goes on by itself within a few minutes. Nobody is skipped, and "
    "nobody gets it twice."
)
SET_FREE = N_("This installation is a demo. To send for real, the operator takes MOBILIZER_LOOPBACK_ONLY out.")
WAIT = N_("You can wait: it goes on when the relay answers again. If it stops again and again, ask who runs the relay.")
MEND = N_("Let the operator mend the relay or its settings; then resume. Nothing is ever sent unprotected instead.")


def what_to_do(problem: Problem | None, retry_at: datetime | None) -> str:
    """The way out of a hold: by what happened, and by whether it is tried again by itself."""
    told = {problem.code, problem.message} if problem else set()
    ways = ((REFUSED, READ_THE_REPLIES), (FAILED, READ_THE_LOG), (NO_ROOM, MAKE_ROOM), (BOUND, SET_FREE))
    for known, advice in ways:
        if told & known:
            return _(advice)
    return _(WAIT if retry_at else MEND)


def full_disk() -> str:
    """The way out of a disk that is full, where so little can be written that no blast holds itself; else nothing."""
    return _(MAKE_ROOM) if jobs.no_room(installation().settings) else ""
