"""Audience: looking for members by a part of their name. Names are sealed, so each one is opened and looked at; a look
is bounded, and goes on where the last one ended."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import Session

from mobilizer.audience.members import Member, open_identity
from mobilizer.audience.queries import PAGE, MemberLine, lines_of
from mobilizer.keys import Keyring

MOST_LOOKED_AT = 20_000  # names opened for one answer: somebody waits for it
CHUNK = 1000


@dataclass(frozen=True, slots=True)
class Look:
    """Whom a look found, newest first, and how many names it opened; `on` is the `before` of the next look, None when
    everybody has been looked at."""

    members: tuple[MemberLine, ...]
    looked_at: int
    on: int | None


def by_name(
    session: Session,
    keyring: Keyring,
    words: str,
    narrowed: Sequence[ColumnElement[bool]] = (),
    before: int | None = None,
    most: int = MOST_LOOKED_AT,
    size: int = PAGE,
) -> Look:
    """The members before the number `before`, newest first, whose name has every one of the words somewhere in it.

    Capitals and accents don't count. `narrowed` are conditions on Member. It ends with `size` people found or `most`
    names opened.
    """
    wanted = folded(words).split()
    found, looked = list[int](), 0
    while looked < most and len(found) < size:
        asked = select(Member.id, Member.sealed, Member.address_key).where(*narrowed).order_by(Member.id.desc())
        if before is not None:
            asked = asked.where(Member.id < before)
        rows = session.execute(asked.limit(min(CHUNK, most - looked))).all()
        if not rows:
            return Look(_shown(session, keyring, found), looked, None)
        for number, sealed, key in rows:
            looked, before = looked + 1, number
            name = folded(open_identity(keyring, sealed, key).name)
            if all(word in name for word in wanted):
                found.append(number)
                if len(found) == size:
                    break
    return Look(_shown(session, keyring, found), looked, before)


def folded(text: str) -> str:
    """A text without capitals and accents."""
    plain = unicodedata.normalize("NFKD", unicodedata.normalize("NFKC", text).casefold())
    return "".join(letter for letter in plain if not unicodedata.combining(letter))


def _shown(session: Session, keyring: Keyring, numbers: Sequence[int]) -> tuple[MemberLine, ...]:
    members = session.scalars(select(Member).where(Member.id.in_(numbers)).order_by(Member.id.desc())).all()
    return lines_of(session, keyring, members)
