"""Delivery: the sender's domain. What the DNS says of who may send in its name, and what it should say.

Looked up by a job and kept in the database: no page and no launch waits for the DNS.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any
from urllib.parse import urlsplit

from sqlalchemy import delete, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from mobilizer.blasts.link_checks import is_local
from mobilizer.db import Base, clock
from mobilizer.delivery.loads import signer_of
from mobilizer.installation import Installation
from mobilizer.languages import isolated
from mobilizer.message.dkim import BadSigningKey
from mobilizer.message.headers import Unaddressable, wire_domain
from mobilizer.pace.lookups import NoAnswer, texts
from mobilizer.problems import N_, Problem
from mobilizer.settings import Settings
from mobilizer.transport.relays import RelaysError, load_relays

LOOK_AGAIN_SECONDS = 6 * 3600.0
NO_ANSWER_SECONDS = 600.0
# RFC 2606, RFC 6761: nobody's, so that nothing is asked about them.
NOBODYS = ("example.org", "example.com", "example.net", ".example", ".test", ".invalid")

Texts = Callable[[str], list[str]]  # the TXT records of a name; raises pace.lookups.NoAnswer


class Part(StrEnum):
    """What a domain publishes for its mail."""

    SPF = "spf"  # RFC 7208
    DKIM = "dkim"  # RFC 6376
    DMARC = "dmarc"  # RFC 7489


class Verdict(StrEnum):
    """What was found of it."""

    FINE = "fine"
    MISSING = "missing"
    SEVERAL = "several"
    OPEN = "open"
    OTHER = "other"
    SILENT = "silent"


# How each is said, and whether it is well ('ok'), worth a look ('warning') or in the way of the mail ('error').
SAYS: dict[tuple[Part, Verdict], tuple[str, str]] = {
    (Part.SPF, Verdict.FINE): ("ok", N_("%(name)s says who may send for it (SPF).")),
    (Part.SPF, Verdict.MISSING): (
        "warning",
        N_("%(name)s does not say who may send for it (SPF): large mailboxes refuse such mail, or call it spam."),
    ),
    (Part.SPF, Verdict.SEVERAL): (
        "error",
        N_("%(name)s has several SPF records: none of them counts. Make one of them all."),
    ),
    (Part.SPF, Verdict.OPEN): ("warning", N_("%(name)s lets anybody send for it (SPF, +all): that helps nobody.")),
    (Part.DKIM, Verdict.FINE): ("ok", N_("%(name)s has the key that mails are signed with (DKIM).")),
    (Part.DKIM, Verdict.MISSING): (
        "error",
        N_("%(name)s lacks the key that mails are signed with (DKIM): no signature of yours can be checked."),
    ),
    (Part.DKIM, Verdict.OTHER): (
        "error",
        N_("%(name)s has another key than the one that mails are signed with (DKIM): each signature seems forged."),
    ),
    (Part.DMARC, Verdict.FINE): (
        "ok",
        N_("%(name)s says what becomes of forged mail in your name (DMARC)."),
    ),
    (Part.DMARC, Verdict.MISSING): (
        "warning",
        N_("%(name)s does not say what becomes of forged mail in your name (DMARC): large mailboxes ask for it."),
    ),
    (Part.DMARC, Verdict.SEVERAL): (
        "warning",
        N_("%(name)s has several DMARC records: none of them counts. Keep one."),
    ),
}
NOT_TOLD = ("warning", N_("The DNS did not answer when %(name)s was looked up. It is asked again soon."))


class SenderDomain(Base):
    """What the DNS said when a question was last asked; of another question, nothing is known."""

    __tablename__ = "sender_domains"

    question: Mapped[str] = mapped_column(primary_key=True)
    answers: Mapped[list[Any]] = mapped_column(default=list)
    looked_at: Mapped[datetime] = mapped_column(default=clock())


@dataclass(frozen=True, slots=True)
class Wanted:
    """One record: where it is, and what it should say. A DKIM key that the relay signs with is not known here."""

    part: Part
    name: str
    record: str


@dataclass(frozen=True, slots=True)
class Finding:
    """What was found of one record; `found` is what is there now, if one thing is."""

    wanted: Wanted
    verdict: Verdict
    found: str = ""

    @property
    def level(self) -> str:
        """'ok', 'warning' or 'error'."""
        return SAYS.get((self.wanted.part, self.verdict), NOT_TOLD)[0]

    @property
    def problem(self) -> Problem:
        """What is said of it."""
        message = SAYS.get((self.wanted.part, self.verdict), NOT_TOLD)[1]
        return Problem(f"domain.{self.wanted.part}", message, {"name": isolated(self.wanted.name)}, "warning")


@dataclass(frozen=True, slots=True)
class DomainState:
    """What is known of the sender's domain. `looked_at` is None while nothing is."""

    domain: str
    findings: tuple[Finding, ...]
    looked_at: datetime | None


def is_asked_about(settings: Settings) -> bool:
    """Whether there is a domain to look up: not where nothing leaves this machine, nor of a name that is nobody's."""
    domain = settings.sender_domain.lower()
    nobodys = any(domain == one.lstrip(".") or domain.endswith("." + one.lstrip(".")) for one in NOBODYS)
    return not (settings.loopback_only or nobodys or is_local(domain))


def wanted(settings: Settings) -> list[Wanted]:
    """The records that should be there; none of a domain that can't be one."""
    try:
        domain, sender = wire_domain(settings.sender_domain), wire_domain(settings.return_domain)
    except Unaddressable:
        return []
    found = [Wanted(Part.SPF, sender, _spf(settings))]
    with suppress(BadSigningKey, OSError):  # the doctor says what is wrong with it
        if signer := signer_of(settings):
            record = f"v=DKIM1; k=rsa; p={signer.public}"
            found.append(Wanted(Part.DKIM, f"{signer.selector}._domainkey.{signer.domain}", record))
    return [*found, Wanted(Part.DMARC, f"_dmarc.{domain}", "v=DMARC1; p=none")]


def look_up(asked: Sequence[Wanted], ask: Texts = texts) -> list[Finding]:
    """What the DNS says of each now."""
    return [_look(one, ask) for one in asked]


def look(installation: Installation, _number: int = 0, ask: Texts = texts) -> None:
    """Look the sender's domain up and keep what was found. A job: it waits for the DNS, in no transaction."""
    if not is_asked_about(installation.settings):
        return
    asked = wanted(installation.settings)
    answers = [[one.verdict.value, one.found] for one in look_up(asked, ask)]
    with installation.database.write() as session:
        session.execute(delete(SenderDomain))
        session.add(SenderDomain(question=_question(asked), answers=answers))


def state(session: Session, settings: Settings) -> DomainState:
    """What is known of the sender's domain as it is now; of another key or name than was asked for nothing is."""
    asked = wanted(settings)
    kept = session.get(SenderDomain, _question(asked))
    answers = kept.answers if kept else []
    found = (Finding(one, Verdict(said), text) for one, (said, text) in zip(asked, answers, strict=False))
    return DomainState(settings.sender_domain, tuple(found), kept.looked_at if kept else None)


def is_due(session: Session, settings: Settings) -> bool:
    """Whether it is time to look it up: it never was, it is long ago, or the DNS was silent."""
    if not is_asked_about(settings):
        return False
    known = state(session, settings)
    silent = any(one.verdict == Verdict.SILENT for one in known.findings)
    wait = NO_ANSWER_SECONDS if silent else LOOK_AGAIN_SECONDS
    fresh = select(SenderDomain.question).where(SenderDomain.looked_at.between(clock(-wait), clock(wait)))
    return known.looked_at is None or session.scalar(fresh) is None


def _question(asked: Sequence[Wanted]) -> str:
    return hashlib.blake2b(repr(asked).encode(), digest_size=16).hexdigest()


def _spf(settings: Settings) -> str:
    """A record that lets our relays send; a provider may want to be included instead, and says so itself."""
    try:
        hosts = [route.relay.host for route in load_relays(settings).routes]
    except RelaysError:
        hosts = []
    outside = [host for host in hosts if not is_local(host)] or [urlsplit(settings.base_url).hostname or ""]
    named = [f"a:{host}" for host in dict.fromkeys(outside) if host and not is_local(host)]
    return " ".join(["v=spf1", *(named or ["mx"]), "~all"])


def _look(one: Wanted, ask: Texts) -> Finding:
    try:
        match one.part:
            case Part.SPF:
                return _look_at_spf(one, ask(one.name))
            case Part.DKIM:
                return _look_at_key(one, ask(one.name))
            case Part.DMARC:
                return _look_at_policy(one, ask)
    except NoAnswer:
        return Finding(one, Verdict.SILENT)


def _look_at_spf(one: Wanted, said: list[str]) -> Finding:
    records = [text for text in said if text.lower().split(" ", 1)[0] == "v=spf1"]
    if len(records) != 1:
        return Finding(one, Verdict.SEVERAL if records else Verdict.MISSING, "\n".join(records))
    terms = records[0].lower().split()
    return Finding(one, Verdict.OPEN if {"+all", "all"} & set(terms) else Verdict.FINE, records[0])


def _look_at_key(one: Wanted, said: list[str]) -> Finding:
    keys = [text for text in said if "p" in _tags(text)]
    if not keys:
        return Finding(one, Verdict.MISSING)
    same = any(_tags(text)["p"] == _tags(one.record)["p"] for text in keys)
    return Finding(one, Verdict.FINE if same else Verdict.OTHER, "" if same else keys[0])


def _look_at_policy(one: Wanted, ask: Texts) -> Finding:
    """The domain's own policy, else that of the nearest domain above it, of which the last is a name of two parts."""
    for name in _upwards(one.name.removeprefix("_dmarc.")):
        records = [text for text in ask(f"_dmarc.{name}") if _tags(text).get("v") == "DMARC1"]
        if records:
            return Finding(one, Verdict.SEVERAL if len(records) > 1 else Verdict.FINE, "\n".join(records))
    return Finding(one, Verdict.MISSING)


def _upwards(domain: str) -> Iterator[str]:
    labels = domain.split(".")
    for n in range(max(1, len(labels) - 1)):
        yield ".".join(labels[n:])


def _tags(record: str) -> dict[str, str]:
    """The tags of a DKIM or DMARC record; blanks in a value mean nothing (RFC 6376, 3.2)."""
    pairs = (part.partition("=") for part in record.split(";"))
    return {name.strip().lower(): "".join(value.split()) for name, equals, value in pairs if equals}
