"""What the DNS says of the sender's domain: judged record by record, kept, and told on the check list. No network."""

from __future__ import annotations

import base64
import dataclasses
from collections.abc import Callable

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from sqlalchemy import update

from mobilizer.db import clock
from mobilizer.delivery import sender_domain
from mobilizer.delivery.checks import ledger_checks
from mobilizer.delivery.sender_domain import Part, SenderDomain, Verdict, Wanted, look_up
from mobilizer.installation import Installation
from mobilizer.pace.lookups import NoAnswer
from tests.worlds import World

KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)
PUBLIC = base64.b64encode(
    KEY.public_key().public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
).decode()
SPF = Wanted(Part.SPF, "act.church", "v=spf1 a:relay.church ~all")
DKIM = Wanted(Part.DKIM, "s1._domainkey.act.church", f"v=DKIM1; k=rsa; p={PUBLIC}")
DMARC = Wanted(Part.DMARC, "_dmarc.act.church", "v=DMARC1; p=none")


def dns(zone: dict[str, list[str]]) -> Callable[[str], list[str]]:
    """A resolver of this zone alone, in which the silent ones do not answer."""

    def ask(name: str) -> list[str]:
        if name.startswith("silent"):
            raise NoAnswer(name)
        return zone.get(name, [])

    return ask


@pytest.mark.parametrize(
    ("wanted", "zone", "verdict", "level"),
    [
        (SPF, {"act.church": ["v=spf1 include:_spf.relay.church -all", "a word of somebody"]}, Verdict.FINE, "ok"),
        (SPF, {"act.church": ["v=spf10 +all"]}, Verdict.MISSING, "warning"),
        (SPF, {"act.church": ["v=spf1 -all", "V=SPF1 ~all"]}, Verdict.SEVERAL, "error"),
        (SPF, {"act.church": ["v=spf1 +all"]}, Verdict.OPEN, "warning"),
        (DKIM, {DKIM.name: [f"k=rsa; p={PUBLIC[:40]} {PUBLIC[40:]}"]}, Verdict.FINE, "ok"),
        (DKIM, {DKIM.name: ["v=DKIM1; p="]}, Verdict.OTHER, "error"),
        (DKIM, {}, Verdict.MISSING, "error"),
        (DMARC, {DMARC.name: ["v=DMARC1; p=reject"]}, Verdict.FINE, "ok"),
        (DMARC, {DMARC.name: ["v=DMARC1; p=none", "v=DMARC1; p=reject"]}, Verdict.SEVERAL, "warning"),
        (DMARC, {DMARC.name: ["v=DMARC2"]}, Verdict.MISSING, "warning"),
        (Wanted(Part.DMARC, "_dmarc.mail.act.church", ""), {DMARC.name: ["v=DMARC1; p=none"]}, Verdict.FINE, "ok"),
        (Wanted(Part.SPF, "silent.church", ""), {}, Verdict.SILENT, "warning"),
    ],
)  # fmt: skip
def test_each_record_is_judged(wanted: Wanted, zone: dict[str, list[str]], verdict: Verdict, level: str) -> None:
    [found] = look_up([wanted], dns(zone))
    assert (found.verdict, found.level) == (verdict, level)


@pytest.fixture
def church(world: World) -> Installation:
    """An installation that sends for a domain, with a key of its own."""
    settings = world.installation.settings
    changed = {"sender_address": "us@act.church", "smtp_host": "relay.church", "base_url": "https://act.church"}
    folder = settings.home / "dkim" / "act.church"
    folder.mkdir(parents=True)
    (folder / "s1.pem").write_bytes(
        KEY.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return dataclasses.replace(world.installation, settings=settings.model_copy(update=changed))


def test_what_was_found_is_kept_until_it_is_old_or_another_question(world: World, church: Installation) -> None:
    def lines() -> dict[str, str]:
        with church.database.read() as session:
            found = ledger_checks(church.settings, session, world.blast(), None)
            return {one.problem.code: one.level for one in found if one.problem.code.startswith("domain.")}

    def due(here: Installation = church) -> bool:
        with here.database.read() as session:
            return sender_domain.is_due(session, here.settings)

    assert sender_domain.wanted(church.settings) == [SPF, DKIM, DMARC]
    assert due()
    assert lines() == {"domain.unknown": "warning"}
    sender_domain.look(church, ask=dns({"act.church": ["v=spf1 mx -all"], DKIM.name: ["p="]}))
    assert not due()
    assert lines() == {"domain.spf": "ok", "domain.dkim": "error", "domain.dmarc": "warning"}
    elsewhere = church.settings.model_copy(update={"smtp_host": "other.church"})
    assert due(dataclasses.replace(church, settings=elsewhere)), "of another relay nothing is known"
    with church.database.write() as session:
        session.execute(update(SenderDomain).values(looked_at=clock(-7 * 3600)))
    assert due()


@pytest.mark.parametrize(
    "changed", [{"sender_address": "us@mail.example.org"}, {"sender_address": "us@localhost"}, {"loopback_only": True}]
)
def test_nothing_is_asked_of_what_is_nobodys(church: Installation, changed: dict[str, object]) -> None:
    here = dataclasses.replace(church, settings=church.settings.model_copy(update=changed))
    sender_domain.look(here, ask=lambda name: pytest.fail(name))
    with here.database.read() as session:
        assert not sender_domain.is_due(session, here.settings)
