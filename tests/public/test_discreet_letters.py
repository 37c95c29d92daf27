"""Letters of a discreet list, and the pages they lead to, say neither which it is nor whose, until a button is pressed;
and what is agreed to is read to the letter all the same."""

from __future__ import annotations

import re
from dataclasses import replace
from email import message_from_bytes
from email.policy import default

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from sqlalchemy import select, update
from werkzeug.test import TestResponse

from mobilizer.audience.lists import MemberList
from mobilizer.audience.sign_ups import SignUp
from mobilizer.db import clock
from mobilizer.installation import Installation
from mobilizer.keys import Purpose, Ticket
from mobilizer.public import joining
from mobilizer.rights import letters as records
from mobilizer.rights import requests
from mobilizer.signups import letters
from tests.one_database import database_url  # noqa: F401
from tests.public.conftest import World
from tests.public.test_joining import STAMP
from tests.public.test_modes import canaries, set_modes
from tests.transport.scripted_relay import ScriptedRelay

SITE, NEW = "https://plain.example", "mira@example.org"
# Whatever is ours has one of these in it.
TELLING = ("canary", "mobilizer", "http://")


@pytest.fixture
def code(world: World, monkeypatch: pytest.MonkeyPatch) -> str:
    """The code of a discreet list that anybody may join; both domains have a key to sign with."""
    monkeypatch.setattr(joining, "SOONEST_SECONDS", 0)
    set_modes(world, discreet=True)
    canaries(world)
    settings = world.installation.settings
    settings.__dict__.update(
        organisation="Canaryfolk",
        postal_address="Canary street 5",
        sender_name="Canary sender",
        sender_address="canary@canary.example",
        reply_to="canary@canary.example",
        base_url="https://canary.example",
        discreet_base_url=SITE,
        discreet_sender_address="marta@plain.example",
    )
    pem = rsa.generate_private_key(public_exponent=65537, key_size=2048).private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    for domain in ("canary.example", "plain.example"):
        (folder := settings.home / "dkim" / domain).mkdir(parents=True)
        (folder / "first.pem").write_bytes(pem)
    with world.installation.database.write() as session:
        row = session.get_one(MemberList, world.lists[0])
        row.name, row.slug, row.description, row.open, row.discreet = "Canary list", "canary", "Canaries.", True, True
        return row.code


def through(world: World, relay: ScriptedRelay) -> Installation:
    changed = {"smtp_port": relay.port, "loopback_only": True}
    return replace(world.installation, settings=world.installation.settings.model_copy(update=changed))


def sent(world: World, number: int) -> tuple[str, str]:
    """The letter that a sign-up gets now, headers and text; and its text alone."""
    with ScriptedRelay() as relay:
        letters.send(through(world, relay), number)
    return read(relay)


def read(relay: ScriptedRelay) -> tuple[str, str]:
    """The one letter that a relay took, its envelope, headers and text, none of which tells; and its text alone."""
    (content,) = relay.messages
    mail = message_from_bytes(content, policy=default)
    envelope = " ".join(line for line in relay.heard if line.startswith(("MAIL", "RCPT")))
    whole = f"{envelope}\n{content.decode()}\n{mail.items()}\n{mail.get_content()}"
    assert telling(whole) == []
    assert "discreet" not in whole.lower()  # nor that there is something to hide
    assert "MAIL FROM:<marta@plain.example>" in envelope
    assert str(mail["From"]) == '"plain.example" <marta@plain.example>'
    assert mail["Message-ID"].endswith("@plain.example>")
    assert "d=plain.example;" in re.sub(r"\s", "", mail["DKIM-Signature"])
    return whole, mail.get_content()


def telling(text: str) -> list[str]:
    return [word for word in TELLING if word in text.lower()]


def path_in(text: str) -> str:
    """Where the first link of a letter leads, on the discreet site."""
    found = re.search(rf"{SITE}(/[^\s>]+)", text)
    assert found
    return found[1]


def neutral(answer: TestResponse, status: int = 200) -> str:
    """A page that says nothing, wherever one looks."""
    assert answer.status_code == status
    assert telling(answer.text + str(answer.headers)) == [], answer.request.path
    return answer.text


def shown(answer: TestResponse, *said: str) -> str:
    """What a press of the button shows; the page's title stays as neutral as its address, for a browser keeps both."""
    assert answer.status_code == 200
    assert answer.headers["Cache-Control"] == "no-store"
    assert telling(answer.text.partition("</head>")[0]) == []
    assert [word for word in said if word not in answer.text] == []
    assert 'id="hide"' in answer.text
    return answer.text


@pytest.mark.parametrize("tag", ["en", "ar"])
def test_from_the_form_to_the_welcome_nothing_tells_and_what_is_agreed_to_is_read(
    world: World, code: str, tag: str
) -> None:
    browser, form = world.browser(), f"/j/{code}?in={tag}"

    def get(path: str) -> TestResponse:
        return browser.get(path, base_url=SITE)

    def post(path: str, **data: str) -> TestResponse:
        return browser.post(path, base_url=SITE, data=data)

    for there, path in ((SITE, "/j/canary"), ("https://canary.example", "/j/canary"), ("https://canary.example", form)):
        assert browser.get(path, base_url=there).status_code == 404, "it has one address, which says nothing"
    assert STAMP.search(neutral(get(form))) is None
    page = shown(post(form, did="show"), "Canaryfolk", "Canary list")
    stamp, wording = STAMP.search(page), re.search(r'<p class="agreed">(.*?)</p>', page)
    assert stamp
    assert wording
    unseen = post(form, email=NEW)  # who has not seen what it is agrees to nothing
    assert shown(unseen, wording[1], NEW)
    answer = post(form, email=NEW, language=tag, stamp=stamp[1])
    assert answer.location == f"/j/{code}/sent?in={tag}"
    assert "marta@plain.example" in neutral(get(answer.location))
    with world.installation.database.read() as session:
        wish = session.scalars(select(SignUp)).one()
        assert (wish.wording, wish.wording_language) == (wording[1], tag)

    _, text = sent(world, wish.id)
    assert "plain.example" in text.splitlines()[0], "what an inbox shows behind the subject"
    link, before = path_in(text), world.snapshot()
    neutral(get(link))
    shown(post(link, did="show"), wording[1], "Canary list")
    assert world.snapshot() == before
    thanks = neutral(post(link))
    assert "About Thursday" in thanks  # what is passed on, in words that say nothing
    assert f"{SITE}/s/" in thanks

    whole, text = sent(world, wish.id)
    assert f"List-Unsubscribe: <{SITE}/u/" in whole.replace("\r\n ", " ")
    preferences = path_in(text)
    neutral(get(preferences))
    neutral(get(path_in(whole[whole.index("List-Unsubscribe") :])))
    post(form, email=NEW, language=tag, stamp=stamp[1])
    with world.installation.database.read() as session:
        again = session.scalars(select(SignUp.id).order_by(SignUp.id.desc())).first()
    assert again
    assert path_in(sent(world, again)[1]) == preferences  # on the list already: nothing to confirm


def test_a_letter_whose_list_is_closed_or_whose_week_is_over_says_so_and_no_more(world: World, code: str) -> None:
    with world.installation.database.write() as session:
        session.add(
            wish := SignUp(
                list_id=world.lists[0], address_key=b"x", language="en", wording="Canary", wording_language="en"
            )
        )
        session.flush()
        link = f"/k/{world.installation.keyring.token(Purpose.CONFIRM, Ticket(wish.id, 0))}"
        session.execute(update(MemberList).values(open=False))
    browser = world.browser()
    neutral(browser.get(link, base_url=SITE), 410)
    neutral(browser.post(link, base_url=SITE), 410)
    neutral(browser.get(f"/j/{code}", base_url=SITE), 404)
    with world.installation.database.write() as session:
        session.execute(update(SignUp).values(asked_at=clock(-letters.DAYS * 86_400 - 60)))
    neutral(browser.get(link, base_url=SITE), 404)
    neutral(browser.post(link, base_url=SITE, data={"did": "show"}), 404)


@pytest.mark.parametrize("asked_there", [True, False])
def test_the_record_comes_by_a_letter_that_says_nothing_and_is_shown_at_a_press(
    world: World, code: str, asked_there: bool
) -> None:
    """To who asked on the discreet site, and to who is on a discreet list wherever they asked."""
    browser, asks = world.browser(), f"/p/{world.token(Purpose.PREFERENCES)}/record"
    site = SITE if asked_there else "https://canary.example"
    with world.installation.database.write() as session:
        session.execute(update(MemberList).values(discreet=not asked_there))
    answer = browser.post(asks, base_url=site)
    assert answer.status_code == 200
    assert (telling(answer.text) == []) is asked_there
    with ScriptedRelay() as relay:
        records.send_link(through(world, relay), world.ana)
    link = path_in(read(relay)[1])
    neutral(browser.get(link, base_url=SITE))
    shown(browser.post(link, base_url=SITE, data={"did": "show"}), "Canaryfolk", "Canary list", "ana@example.org")
    neutral(browser.get(f"{link}.json", base_url=SITE), 404)
    assert "Canary list" in browser.post(f"{link}.json", base_url=SITE).text
    neutral(browser.post(f"{link}/erase", base_url=SITE))
    neutral(browser.get(link, base_url=SITE), 404)


def test_without_a_domain_that_says_nothing_no_letter_goes_and_nobody_can_ask(world: World, code: str) -> None:
    world.installation.settings.__dict__.update(discreet_sender_address="")
    neutral(world.browser().get(f"/j/{code}", base_url=SITE), 404)
    with world.installation.database.write() as session:
        requests.ask(session, world.ana)
    with ScriptedRelay() as relay:
        records.send_link(through(world, relay), world.ana)
    assert relay.messages == []
    with world.installation.database.read() as session:
        request = session.get_one(requests.RecordRequest, world.ana)
        assert request.next_at is not None  # it waits


def test_a_discreet_film_leads_to_the_discreet_form_once_it_plays(world: World, code: str) -> None:
    film = set_modes(world, discreet=True)
    path, browser = f"/w/{film}/es/anascode22", world.browser()
    assert "/j/" not in neutral(browser.get(path, base_url=SITE))
    played = browser.post(path, base_url=SITE, data={"did": "play"}).text
    found = re.search(r'href="(/j/[^"]+)"', played)
    assert found
    assert found[1] == f"/j/{code}?in=es&amp;of={film}&amp;by=anascode22"
    neutral(browser.get(found[1].replace("&amp;", "&"), base_url=SITE))
    assert "/j/" not in browser.post(path, base_url="https://canary.example", data={"did": "play"}).text
    assert "/j/" not in browser.get("/w/canaryslug/es", base_url="https://canary.example").text
