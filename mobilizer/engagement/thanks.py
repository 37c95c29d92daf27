"""Engagement: thanks. What came of each member's sharing of a blast, in words for the mail that thanks them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache

from babel import numbers
from sqlalchemy import ColumnElement, Select, func, select
from sqlalchemy.orm import Session

from mobilizer.audience.preferences import uncounted
from mobilizer.blasts.blasts import Blast
from mobilizer.blasts.narrowing import narrowing_of
from mobilizer.catalogs import phrases
from mobilizer.engagement.crowds import CROWD
from mobilizer.engagement.events import ONCE_A_VIEWING, Event, EventKind
from mobilizer.engagement.recruits import Recruit
from mobilizer.message.tags import THANKS
from mobilizer.problems import P_

WATCHED, JOINED = THANKS
OPENED = "opened"  # said in place of WATCHED where a link was posted in public: nobody can tell then how many people
_SEEN = (EventKind.VISIT, EventKind.WATCH)
# Of nobody nothing is said: the words' own fallback stands there, or the kind one that the mail has.
SAID = {
    WATCHED: P_("%(num)d person watched because of you.", "%(num)d people watched because of you."),
    OPENED: P_(
        "Your link travelled far: it was opened %(num)s time.", "Your link travelled far: it was opened %(num)s times."
    ),
    JOINED: P_("%(num)d person signed up through your link.", "%(num)d people signed up through your link."),
}


def thanks(session: Session, blast_id: int, language: str, members: Sequence[int]) -> dict[int, Mapping[str, str]]:
    """What came of some members' sharing of a blast, as merge tags tell it in a language. Machines are left out; who
    brought nobody yet is not in it, nor who wants it not counted. Two questions, however many they are.

    Whose link was posted in public (crowds) is told how often it was opened, not how many people watched.
    """
    found: dict[int, dict[str, str]] = {}
    for member, people, crowd, visits in session.execute(_came(blast_id, members)):
        if member is not None and (crowd or people):
            words = said(OPENED, crowd + visits, language) if crowd else said(WATCHED, people, language)
            found.setdefault(member, {})[WATCHED] = words
    for member, people in session.execute(_joined(blast_id, members)):
        if member is not None:
            found.setdefault(member, {})[JOINED] = said(JOINED, people, language)
    return dict(found)


def thanks_for(session: Session, blast: Blast, language: str, member_id: int) -> Mapping[str, str]:
    """What a blast tells one member of what came of their sharing, as of now; empty if it thanks nobody for any."""
    thanked_for = narrowing_of(blast.narrowing).thanks
    return thanks(session, thanked_for, language, [member_id]).get(member_id, {}) if thanked_for else {}


@lru_cache(maxsize=1024)
def said(tag: str, people: int, language: str) -> str:
    """So many friends, in a whole sentence with the plural that a language asks for."""
    one, many = SAID[tag]
    num = people if tag != OPENED else numbers.format_decimal(people, locale=language.replace("-", "_"))
    return phrases("member", language).ngettext(one, many, people) % {"num": num}


def _came(blast_id: int, members: Sequence[int]) -> Select[int | None, int, int, int]:
    """(member, viewings by friends, visits by crowds, visits by friends)"""

    def acts(kind: EventKind, rule: str) -> ColumnElement[int]:
        return func.coalesce(func.sum(Event.times).filter(Event.kind == kind, Event.machine == rule), 0)

    counts = acts(EventKind.WATCH, ""), acts(EventKind.VISIT, CROWD), acts(EventKind.VISIT, "")
    mine = (Event.via_id.in_(members), Event.blast_id == blast_id, ~uncounted(Event.via_id))
    return select(Event.via_id, *counts).where(*mine, Event.kind.in_(_SEEN), ONCE_A_VIEWING).group_by(Event.via_id)


def _joined(blast_id: int, members: Sequence[int]) -> Select[int | None, int]:
    mine = (Recruit.via_id.in_(members), Recruit.blast_id == blast_id, ~uncounted(Recruit.via_id))
    return select(Recruit.via_id, func.count()).where(*mine).group_by(Recruit.via_id)
