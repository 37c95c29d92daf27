"""Audience: a person changes what is known of a member, their address too, and says which lists they are on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import exists, select
from sqlalchemy.orm import Session

from mobilizer.audience.addresses import BadAddress, normalise
from mobilizer.audience.candidates import MAX_NAME, clean
from mobilizer.audience.lists import MemberList, Standing, Subscription
from mobilizer.audience.members import Identity, Member, seal_identity
from mobilizer.audience.merged import MergedMember
from mobilizer.audience.spoken import territory
from mobilizer.audience.standing import subscribe
from mobilizer.audience.suppressing import suppress, suppressed_among
from mobilizer.audience.suppressions import SuppressedFor
from mobilizer.audience.time_zones import time_zones
from mobilizer.keys import Keyring
from mobilizer.languages import UnknownLanguage, canonical
from mobilizer.problems import N_, Problem

# What is so of the person, whatever their mailbox is called; a bounce is so of the mailbox.
OF_THE_PERSON = (SuppressedFor.COMPLAINT, SuppressedFor.MANUAL, SuppressedFor.ERASED)


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of a member, as a form has it: blank for what is not known."""

    email: str
    name: str
    language: str
    second_language: str
    country: str
    time_zone: str


def known_of(keyring: Keyring, member: Member) -> Known:
    """What is known of a member now. Raises keys.BadSeal."""
    identity, m = member.identity(keyring), member
    return Known(identity.email, identity.name, m.language, m.second_language or "", m.country or "", m.time_zone or "")


def change(session: Session, keyring: Keyring, member: Member, wanted: Known) -> list[str] | list[Problem]:
    """Change what is known of a member; returns the names of the fields that changed, or what is wrong.

    With another address the member keeps number, lists and history. It must not be another member's, nor suppressed;
    and what the person said with the old one (a complaint, that they left) holds on: the new address is suppressed
    with it, and the old one of who has left is, so that no file brings them back by it.
    """
    before = known_of(keyring, member)
    wanted, problems = _read(wanted)
    if not problems and wanted.email != before.email:
        problems = _address_problems(session, keyring, member, wanted.email)
    if problems:
        return problems
    changed = [name for name in Known.__slots__ if getattr(wanted, name) != getattr(before, name)]
    if "email" in changed:
        _carry_over(session, keyring, member, wanted.email)
    if "email" in changed or "name" in changed:
        identity = Identity(wanted.email, wanted.name)
        member.address_key, member.domain_key, member.sealed = seal_identity(keyring, identity)
    member.language, member.second_language = wanted.language, wanted.second_language or None
    member.country, member.time_zone = wanted.country or None, wanted.time_zone or None
    session.flush()
    return changed


def put_on_list(
    session: Session, member_id: int, list_id: int, *, how: str, wording: str, language: str
) -> list[Problem]:
    """Put a member on a list, by the consent that is told; or say why not. Only they themselves come back to one they
    left, and who left every list is put on none."""
    standings = dict(
        session.execute(
            select(Subscription.list_id, Subscription.standing).where(Subscription.member_id == member_id)
        ).all()
    )
    left = [standing == Standing.UNSUBSCRIBED for standing in standings.values()]
    if session.get(MemberList, list_id) is None:
        return [Problem("join.no_list", N_("Choose a list."), where="list")]
    if standings.get(list_id) == Standing.UNSUBSCRIBED or (left and all(left)):
        message = N_("They have left. Only they can come back: by the link in any mail they got.")
        return [Problem("join.left", message, where="list")]
    if not how.strip() or "@" in how:
        message = N_("Say where and when they agreed, without anybody's address: it is kept with them.")
        return [Problem("join.no_consent", message, where="how")]
    subscribe(session, member_id, list_id, how=how.strip(), wording=wording.strip(), wording_language=language)
    return []


def _read(wanted: Known) -> tuple[Known, list[Problem]]:
    """What was typed in its normal form, and what is wrong with it."""
    problems: list[Problem] = []
    email = wanted.email
    try:
        email = normalise(wanted.email)
    except BadAddress as bad:
        problems.append(bad.problem)
    name = clean(wanted.name)
    if len(name) > MAX_NAME:
        message = N_("The name is too long (letters: at most %(most)d).")
        problems.append(Problem("change.name_long", message, {"most": MAX_NAME}, where="name"))
    first, second = _language(wanted.language), _language(wanted.second_language) if wanted.second_language else ""
    if first is None or second is None:
        where = "language" if first is None else "second_language"
        problems.append(Problem("change.language", N_("Choose a language."), where=where))
    if wanted.country and territory(wanted.country) != wanted.country:
        problems.append(Problem("change.country", N_("Choose a country."), where="country"))
    if wanted.time_zone and wanted.time_zone not in time_zones():
        problems.append(Problem("change.zone", N_("Choose a time zone."), where="time_zone"))
    read: dict[str, Any] = {"email": email, "name": name, "language": first or "", "second_language": second or ""}
    if read["second_language"] == read["language"]:
        read["second_language"] = ""
    return Known(**read, country=wanted.country, time_zone=wanted.time_zone), problems


def _language(tag: str) -> str | None:
    try:
        return canonical(tag)
    except UnknownLanguage:
        return None


def _address_problems(session: Session, keyring: Keyring, member: Member, email: str) -> list[Problem]:
    key = keyring.address_key(email)
    other = session.scalar(select(Member.id).where(Member.address_key == key, Member.id != member.id))
    merged = session.scalar(select(MergedMember.into_id).where(MergedMember.address_key == key))
    if merged is not None:
        message = N_("This was the address of a record that was merged into member %(number)s. Choose another one.")
        return [Problem("change.merged", message, {"number": merged}, where="email")]
    if other is not None:
        message = N_("This is the address of member %(number)s already. Choose another one.")
        return [Problem("change.taken", message, {"number": other}, where="email")]
    if suppressed_among(session, [key]):
        message = N_("This address must not be mailed: it bounced, complained, was erased or was taken out.")
        return [Problem("change.suppressed", message, where="email")]
    return []


def _carry_over(session: Session, keyring: Keyring, member: Member, email: str) -> None:
    """Let what the person said hold for their new address, and what left with the old one stay away."""
    old = member.address_key
    reason = suppressed_among(session, [old]).get(old)
    if reason is not None and reason in OF_THE_PERSON:
        suppress(session, keyring.address_key(email), reason)
    left = exists().where(Subscription.member_id == member.id, Subscription.standing == Standing.UNSUBSCRIBED)
    if session.scalar(select(left)):
        suppress(session, old, SuppressedFor.MANUAL)
