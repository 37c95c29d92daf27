"""Joining: anybody may ask, only the owner of an address can confirm, and nobody else learns anything."""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest
from itsdangerous import TimestampSigner
from sqlalchemy import event, or_, select, update

from mobilizer.appeals.appeals import Translation
from mobilizer.audience.lists import MemberList, Standing, Subscription
from mobilizer.audience.members import Identity, Member
from mobilizer.audience.sign_ups import AskedAddress, SignUp
from mobilizer.audience.suppressing import is_suppressed, suppress
from mobilizer.audience.suppressions import SuppressedFor
from mobilizer.db import clock
from mobilizer.delivery import letters as posting
from mobilizer.keys import Purpose, Ticket
from mobilizer.message.plain import PlainMail
from mobilizer.public import joining
from mobilizer.signups import asking, letters
from tests.one_app import app_of
from tests.public.conftest import World

NEW = "Mira.Novak@Example.org"
STAMP = re.compile(r'name="stamp" value="([^"]+)"')


@pytest.fixture(autouse=True)
def _anybody_may(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """The first list is open, and people are quick."""
    monkeypatch.setattr(joining, "SOONEST_SECONDS", 0)
    with world.installation.database.write() as session:
        session.execute(update(MemberList).where(MemberList.id == world.lists[0]).values(open=True))


@pytest.fixture
def posted(monkeypatch: pytest.MonkeyPatch) -> list[PlainMail]:
    """The letters that the relay takes."""
    taken: list[PlainMail] = []

    def take(_installation: object, mail: PlainMail) -> str:
        taken.append(mail)
        return "Accepted"

    monkeypatch.setattr(letters, "hand_over", take)
    return taken


def ask(world: World, slug: str = "list-0", query: str = "?in=es", **form: str) -> str:
    """Fill in the form as a browser does; the place that the answer leads to, or its page."""
    browser = world.browser()
    found = STAMP.search(browser.get(f"/j/{slug}{query}").text)
    stamp = {"stamp": found[1]} if found else {}
    answer = browser.post(f"/j/{slug}{query}", data={"email": NEW, **stamp, **form})
    return answer.headers["Location"] if answer.status_code == 303 else answer.text


def asked(world: World) -> list[SignUp]:
    """The sign-ups that have a letter."""
    with world.installation.database.read() as session:
        noted = or_(SignUp.sealed.is_not(None), SignUp.member_id.is_not(None))
        return list(session.scalars(select(SignUp).where(noted).order_by(SignUp.id)))


def link_of(world: World, wish: SignUp) -> str:
    return f"/k/{world.installation.keyring.token(Purpose.CONFIRM, Ticket(wish.id, 0))}"


def known(world: World, address: str) -> Member | None:
    with world.installation.database.read() as session:
        key = world.installation.keyring.address_key(address)
        return session.scalars(select(Member).where(Member.address_key == key)).one_or_none()


def test_from_the_form_to_the_list(world: World, posted: list[PlainMail]) -> None:
    code = world.code(world.ana)
    way = f"?in=ar&of=love-always-wins&by={code}"
    assert ask(world, query=way, of="love-always-wins", by=code, language="es", name="Mira") == "/j/list-0/sent?in=ar"
    (wish,) = asked(world)
    assert known(world, NEW.lower()) is None
    letters.send(world.installation, wish.id)
    letters.send(world.installation, wish.id)
    (letter,) = posted
    assert (letter.address, letter.name, letter.language, letter.unsubscribe) == (NEW.lower(), "", "es", "")
    link = link_of(world, wish)
    assert link in letter.text
    assert "Mira" not in letter.text

    before = world.snapshot()
    browser = world.browser()
    page = browser.get(link).text
    # In the language of the mail, with the wording in the language it was read in.
    assert '<html lang="es"' in page
    assert 'lang="ar" dir="auto">نعم، أرسلوا إليّ' in page
    assert world.snapshot() == before

    thanks = browser.post(link).text
    member = known(world, NEW.lower())
    assert member is not None
    assert (member.language, member.source, member.recruited_by_id) == ("es", "share link", world.ana)
    assert member.identity(world.installation.keyring).name == "Mira"
    assert f"/s/{member.share_code}/love-always-wins" in thanks
    with world.installation.database.read() as session:
        on = session.get_one(Subscription, (world.lists[0], member.id))
        assert (on.standing, on.how, on.wording_language) == ("confirmed", "share link", "ar")
        assert on.wording.startswith("نعم، أرسلوا")
        assert session.scalars(select(AskedAddress)).all() == []
    (joined,) = [event for event in world.events() if event.kind == "join"]
    assert (joined.member_id, joined.via_id, joined.blast_id) == (member.id, world.ana, world.blast)

    after = world.snapshot()
    assert browser.post(link).status_code == browser.get(link).status_code == 200
    assert world.snapshot() == after
    letters.send(world.installation, wish.id)
    assert posted[1].subject == "¡Te damos la bienvenida!"
    assert f"/s/{member.share_code}/love-always-wins?c=email" in posted[1].text
    assert "/u/" in posted[1].unsubscribe


def test_known_and_unknown_addresses_get_the_same_answer(world: World, posted: list[PlainMail]) -> None:
    answers = {ask(world, email=address) for address in (NEW, "ana@example.org", "ANA@example.org")}
    assert answers == {"/j/list-0/sent?in=es"}
    unknown, ana = asked(world)  # a second letter to Ana has to wait
    for wish in (unknown, ana):
        letters.send(world.installation, wish.id)
    assert [letter.subject for letter in posted] == [
        "Confirma que quieres nuestros correos",
        "Ya estás en nuestra lista",
    ]
    assert "/k/" not in posted[1].text


def test_every_address_takes_the_same_work_and_gets_the_same_headers(world: World, posted: list[PlainMail]) -> None:
    """New, known, asked a moment ago, suppressed: neither the answer nor how long it takes tells which."""
    keyring, engine = world.installation.keyring, world.installation.database.engine
    with world.installation.database.write() as session:
        suppress(session, keyring.address_key("amal@example.org"), SuppressedFor.COMPLAINT)
    seen: list[tuple[list[str], str]] = []
    said: list[str] = []
    event.listen(
        engine, "before_cursor_execute", listen := lambda _c, _cur, said_now, *_: said.append(said_now.split("(")[0])
    )
    try:
        for address in (NEW, "ana@example.org", NEW, "ana@example.org", "amal@example.org"):
            stamp = STAMP.search(world.browser().get("/j/list-0?in=es").text)
            said.clear()
            answer = world.browser().post("/j/list-0?in=es", data={"email": address, "stamp": stamp and stamp[1]})
            headers = sorted((name, value) for name, value in answer.headers if name != "X-Request-Id")
            seen.append((list(said), repr((answer.status_code, headers, answer.text))))
    finally:
        event.remove(engine, "before_cursor_execute", listen)
    assert len(seen[0][0]) > 2
    for one in seen:
        assert one == seen[0]


def test_what_is_kept_as_agreed_to_is_what_was_read(world: World) -> None:
    """In the language of the page that showed it, whatever the browser asks for when it posts; and never a wording
    that changed in between."""
    page = world.browser(accept_language="ar").get("/j/list-0").text
    stamp = STAMP.search(page)
    assert stamp
    form = {"email": NEW, "stamp": stamp[1]}
    with world.installation.database.write() as session:
        session.execute(update(MemberList).where(MemberList.id == world.lists[0]).values(name="Renamed"))
    again = world.browser(accept_language="fr").post("/j/list-0", data=form)
    assert again.status_code == 200
    assert "Renamed" in again.text
    assert asked(world) == []
    with world.installation.database.write() as session:
        session.execute(update(MemberList).where(MemberList.id == world.lists[0]).values(name="News"))
    assert world.browser(accept_language="fr").post("/j/list-0", data=form).status_code == 303
    (wish,) = asked(world)
    assert wish.wording_language == "ar"
    assert f'<p class="agreed">{wish.wording}</p>' in page


@pytest.mark.parametrize(
    ("query", "accept", "preset"),
    [("?in=fr", "de", "fr"), ("", "de-CH, fr;q=0.5", "de"), ("", "xx", "en"), ("?in=klingon", "pt-BR", "pt")],
)
def test_the_language_is_preset_from_the_page_then_from_the_browser(
    world: World, query: str, accept: str, preset: str
) -> None:
    page = world.browser(accept_language=accept).get(f"/j/list-0{query}").text
    assert f'<option value="{preset}" lang="{preset}" selected>' in page
    stamp = STAMP.search(page)
    form = {"email": "jean@orange.fr", "stamp": stamp[1] if stamp else ""}
    world.browser(accept_language=accept).post(f"/j/list-0{query}", data=form)
    assert [wish.language for wish in asked(world)] == [preset]  # whatever the address ends in


def test_forms_that_come_at_once_are_one_letter(world: World, posted: list[PlainMail]) -> None:
    here = world.installation

    def wish(address: str) -> asking.Wish:
        return asking.Wish(world.lists[0], Identity(address, ""), "es", "Sí.", "es")

    def hurry(n: int) -> None:
        with here.database.write() as session:
            asking.ask(session, here.keyring, wish(("mira@example.org", "MIRA+2@example.org".lower())[n % 2]))

    with ThreadPoolExecutor(6) as crowd:
        list(crowd.map(hurry, range(12)))
    (one,) = asked(world)
    with ThreadPoolExecutor(6) as crowd:
        list(crowd.map(lambda _: letters.send(here, one.id), range(6)))
    assert len(posted) == 1
    browser, link = world.browser(), link_of(world, one)
    with ThreadPoolExecutor(4) as crowd:
        assert {answer.status_code for answer in crowd.map(lambda _: browser.post(link), range(4))} == {200}
        list(crowd.map(lambda _: letters.send(here, one.id), range(6)))
    assert [letter.subject for letter in posted[1:]] == ["¡Te damos la bienvenida!"]
    assert [event.kind for event in world.events()] == ["join"]


def test_who_leaves_before_the_welcome_went_is_not_welcomed(world: World, posted: list[PlainMail]) -> None:
    ask(world)
    (wish,) = asked(world)
    world.browser().post(link_of(world, wish))
    member = known(world, NEW.lower())
    assert member is not None
    world.browser().post(f"/u/{world.token(Purpose.UNSUBSCRIBE, member.id, 0)}")
    letters.send(world.installation, wish.id)
    with world.installation.database.read() as session:
        assert letters.due(session, 9) == []
    assert posted == []


def test_who_is_on_the_list_already_is_told_so_and_can_leave_at_one_click(
    world: World, posted: list[PlainMail]
) -> None:
    ask(world, email="ana@example.org")
    letters.send(world.installation, asked(world)[0].id)
    (letter,) = posted
    assert world.browser().post(letter.unsubscribe.removeprefix("http://mobilizer.test")).status_code == 200
    assert set(world.standing(world.ana).values()) == {"unsubscribed"}


def test_after_a_week_the_letter_confirms_nothing(world: World) -> None:
    ask(world)
    link = link_of(world, asked(world)[0])
    with world.installation.database.write() as session:
        session.execute(update(SignUp).values(asked_at=clock(-letters.DAYS * 86_400 + 60)))
    assert world.browser().get(link).status_code == 200
    with world.installation.database.write() as session:
        session.execute(update(SignUp).values(asked_at=clock(-letters.DAYS * 86_400 - 60)))
    before = world.snapshot()
    for answer in (world.browser().get(link), world.browser().post(link)):
        assert answer.status_code == 404
        assert answer.headers["Content-Type"].startswith("text/html")
    assert world.snapshot() == before


def test_the_form_may_stand_in_a_frame_and_no_other_page(world: World) -> None:
    browser = world.browser()
    shown = browser.get("/j/list-0/frame?in=ar")
    assert '<html lang="ar" dir="rtl">' in shown.text
    assert 'action="/j/list-0/frame?in=ar"' in shown.text
    assert "/j/list-0/frame?in=es" in shown.text  # its languages stay in the frame
    stamp = STAMP.search(shown.text)
    assert stamp
    wrong = browser.post("/j/list-0/frame?in=ar", data={"email": "mira", "stamp": stamp[1]})
    again = browser.post("/j/list-0/frame?in=ar", data={"email": NEW})
    taken = browser.post("/j/list-0/frame?in=ar", data={"email": NEW, "stamp": stamp[1]})
    assert taken.headers["Location"] == "/j/list-0/frame/sent?in=ar"
    sent = browser.get(taken.headers["Location"])
    assert [answer.status_code for answer in (wrong, again, taken, sent)] == [422, 200, 303, 200]
    for answer in (shown, wrong, again, sent):
        assert "frame-ancestors *" in answer.headers["Content-Security-Policy"]
        assert answer.headers["Cross-Origin-Resource-Policy"] == "cross-origin"
        assert "Set-Cookie" not in answer.headers
    (wish,) = asked(world)
    for path in (
        *("/j/list-0", "/j/list-0/sent", link_of(world, wish), "/w/love-always-wins/es"),
        *(f"/u/{world.token(Purpose.UNSUBSCRIBE)}", f"/p/{world.token(Purpose.PREFERENCES)}", "/j/nothing", "/c/x/1"),
    ):
        assert "frame-ancestors 'none'" in browser.get(path).headers["Content-Security-Policy"], path


def test_an_address_gets_one_letter_a_day_and_three_ever(world: World) -> None:
    for day in (1, 2, 3, 4):
        ask(world)
        ask(world)
        assert len(asked(world)) == min(day, 3)
        with world.installation.database.write() as session:
            session.execute(update(AskedAddress).values(last_at=clock(-90_000)))


def test_one_mailbox_gets_its_letters_however_its_address_is_spelled(world: World, posted: list[PlainMail]) -> None:
    """A form can't be made to write to ana+1@, ana+2@ ...; but who is who goes by the whole address."""
    here = world.installation
    for address in (
        "mira@example.org",
        "mira+1@example.org",
        "MIRA+2@example.org",
        "m.ira@gmail.com",
        "mira+x@googlemail.com",
    ):
        ask(world, email=address)
    ask(world, email="m.ira@example.org")  # elsewhere a dot is a letter like others
    wishes = asked(world)
    with here.database.read() as session:
        assert [wish.identity(here.keyring).email for wish in wishes] == [
            "mira@example.org",
            "m.ira@gmail.com",
            "m.ira@example.org",
        ]
        assert len(session.scalars(select(AskedAddress)).all()) == 3
    with here.database.write() as session:
        session.execute(update(AskedAddress).values(last_at=clock(-90_000)))
    ask(world, email="mira+2@example.org")
    wish = asked(world)[-1]
    letters.send(here, wish.id)
    assert "fingerprint" not in posted[0].text  # in their language
    assert "huella" in posted[0].text
    world.browser().post(link_of(world, wish))
    assert known(world, "mira+2@example.org") is not None
    assert known(world, "mira@example.org") is None
    with here.database.write() as session:
        assert len(session.scalars(select(AskedAddress)).all()) == 2  # the owner has spoken
        assert asking.forget_asked(session, 365 * 86_400, 10) == 0
        session.execute(update(AskedAddress).values(last_at=clock(-366 * 86_400)))
        assert asking.forget_asked(session, 365 * 86_400, 10) == 2


def test_a_list_that_closed_meanwhile_is_not_joined_and_says_so(world: World) -> None:
    ask(world)
    (wish,) = asked(world)
    with world.installation.database.write() as session:
        session.execute(update(MemberList).values(open=False))
    before = world.snapshot()
    for answer in (world.browser().get(link_of(world, wish)), world.browser().post(link_of(world, wish))):
        assert answer.status_code == 410
        assert "Esta lista ya no admite a nadie nuevo" in answer.text
    assert world.snapshot() == before


@pytest.mark.parametrize("reason", [SuppressedFor.COMPLAINT, SuppressedFor.ERASED])
def test_who_was_suppressed_comes_back_by_their_own_act_only(world: World, reason: SuppressedFor) -> None:
    keyring = world.installation.keyring
    with world.installation.database.write() as session:
        suppress(session, keyring.address_key("ana@example.org"), reason)
        session.execute(update(Subscription).values(standing=Standing.UNSUBSCRIBED))
    ask(world, email="ana@example.org")
    with world.installation.database.read() as session:
        assert is_suppressed(session, keyring.address_key("ana@example.org"))
    world.browser().post(link_of(world, asked(world)[0]))
    with world.installation.database.read() as session:
        assert not is_suppressed(session, keyring.address_key("ana@example.org"))
    assert world.standing(world.ana)[world.lists[0]] == "confirmed"
    assert known(world, "ana@example.org").recruited_by_id is None  # type: ignore[union-attr]


def test_a_machine_joins_nobody(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    assert ask(world, website="https://spam.example") == "/j/list-0/sent?in=es"
    monkeypatch.setattr(joining, "SOONEST_SECONDS", 5)
    page = ask(world, name="Mira")
    # Nothing of what a person typed is lost.
    assert f'value="{NEW}"' in page
    assert 'value="Mira"' in page
    before = TimestampSigner(world.installation.keyring.cookie_secret, salt="sign-up")  # of the version before this one
    old = before.sign(str(world.lists[0])).decode()
    for stamp in ("", "1", "1.abc.def", f"{world.lists[0]}.AAAAAA.{'x' * 27}", old):
        assert "otra vez" in ask(world, stamp=stamp)
    assert asked(world) == []


def test_what_is_no_address_is_said_and_kept(world: World) -> None:
    page = ask(world, email='<script>"@x', name="Mira")
    assert 'role="alert"' in page
    assert "&lt;script&gt;" in page
    assert "<script>" not in page
    assert asked(world) == []


def test_a_closed_list_has_no_form(world: World) -> None:
    assert world.browser().get("/j/list-1").status_code == 404
    assert world.browser().post("/j/list-1", data={"email": NEW}).status_code == 404
    assert asked(world) == []


@pytest.mark.parametrize("token", ["x", "0" * 50])
def test_a_forged_confirmation_confirms_nothing(world: World, token: str) -> None:
    ask(world)
    other = world.installation.keyring.token(Purpose.PREFERENCES, Ticket(asked(world)[0].id, 0))
    for forged in (token, other):
        assert world.browser().post(f"/k/{forged}").status_code == 404
    assert known(world, NEW.lower()) is None


def test_one_network_can_ask_so_often(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(joining, "BY_NETWORK", ("2 per hour",))
    answers = [ask(world, email=f"p{n}@example.org") for n in range(3)]
    assert answers[:2] == ["/j/list-0/sent?in=es"] * 2
    assert "dentro de un rato" in answers[2]
    assert len(asked(world)) == 2


@pytest.mark.parametrize(("other", "counted"), [("2001:db8:0:1:ffff::2", True), ("2001:db8:0:2::1", False)])
def test_a_network_is_64_bits_as_the_proxy_ahead_tells_it(
    world: World, monkeypatch: pytest.MonkeyPatch, other: str, counted: bool
) -> None:
    """Whoever has a house full of addresses is one; and what a visitor writes into the header themselves is nothing."""
    monkeypatch.setattr(joining, "BY_NETWORK", ("1 per hour",))
    here = replace(world.installation, settings=world.installation.settings.model_copy(update={"trusted_proxies": 1}))
    world.app = app_of(here)
    said = []
    for number, address in enumerate(("2001:db8:0:1::1", other)):
        browser = world.browser(x_forwarded_for=f"203.0.113.{number}, {address}")
        stamp = STAMP.search(browser.get("/j/list-0?in=es").text)
        form = {"email": f"p{number}@example.org", "stamp": stamp[1] if stamp else ""}
        said.append(browser.post("/j/list-0?in=es", data=form).status_code)
    assert said == [303, 429 if counted else 303]


def test_a_letter_that_the_relay_does_not_take_is_tried_again(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    ask(world)
    monkeypatch.setattr(letters, "hand_over", lambda *_: "Deferred")
    letters.send(world.installation, asked(world)[0].id)
    with world.installation.database.write() as session:
        assert letters.due(session, 9) == []
        session.execute(update(SignUp).values(next_at=clock(-posting.WAITS_SECONDS[0])))
        assert letters.due(session, 9) == [asked(world)[0].id]


def test_the_film_asks_to_join(world: World) -> None:
    page = world.browser().get(f"/w/love-always-wins/es/{world.code(world.ana)}").text
    assert f"/j/list-0?in=es&amp;of=love-always-wins&amp;by={world.code(world.ana)}" in page
    with world.installation.database.write() as session:
        session.execute(update(Translation).where(Translation.language == "es").values(join_text="Hay más,\n<todo>"))
    for at in ("/w/love-always-wins/es", "/j/list-0?in=es&of=love-always-wins"):
        assert "Hay más,\n&lt;todo&gt;</p>" in world.browser().get(at).text
    for at in ("/j/list-0?in=es", "/j/list-0?in=fr&of=love-always-wins", "/j/list-0?in=es&of=hate"):
        assert "Hay más" not in world.browser().get(at).text
    with world.installation.database.write() as session:
        session.execute(update(MemberList).values(open=False))
    assert "/j/" not in world.browser().get("/w/love-always-wins/es").text
