"""Demo: what must arrive. Works out from members and lists, one by one and not as the ledger does, who gets what."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from mobilizer.appeals.completeness import complete_languages
from mobilizer.audience.lists import Standing, Subscription
from mobilizer.audience.members import Member
from mobilizer.audience.suppressions import Suppression
from mobilizer.blasts.blasts import Blast
from mobilizer.blasts.fallbacks import fallbacks_of
from mobilizer.keys import Keyring
from mobilizer.languages import choose


@dataclass(frozen=True, slots=True)
class Expected:
    """The language that each address must get one mail in, and the addresses that must get none."""

    gets: dict[str, str]
    unsubscribed: frozenset[str]
    suppressed: frozenset[str]
    people: int

    @property
    def messages(self) -> int:
        """How many mails there must be."""
        return len(self.gets)


def expected(session: Session, keyring: Keyring, blast: Blast) -> Expected:
    """What a blast must bring to whom, as things are now."""
    standings = _standings(session)
    into = {target.list_id for target in blast.targets if target.included}
    away = {target.list_id for target in blast.targets if not target.included}
    must_not = set(session.scalars(select(Suppression.address_key)))
    offered, fallbacks = complete_languages(blast.appeal), fallbacks_of(session, blast)
    gets: dict[str, str] = {}
    left, stopped, people = set[str](), set[str](), 0
    for member in session.scalars(select(Member)):
        email, on = member.identity(keyring).email, standings.get(member.id, {})
        if not any(on.get(each) == Standing.CONFIRMED for each in into):
            left.add(email)
            continue
        if any(on.get(each, Standing.UNSUBSCRIBED) != Standing.UNSUBSCRIBED for each in away):
            continue
        people += 1
        if member.address_key in must_not:
            stopped.add(email)
            continue
        choice = choose(
            member.language, member.second_language, offered, blast.chain, blast.default_language, fallbacks
        )
        gets[email] = choice.language
    return Expected(gets, frozenset(left), frozenset(stopped), people)


def _standings(session: Session) -> dict[int, dict[int, str]]:
    found: dict[int, dict[int, str]] = {}
    for member, at, standing in session.execute(
        select(Subscription.member_id, Subscription.list_id, Subscription.standing)
    ):
        found.setdefault(member, {})[at] = standing
    return found
