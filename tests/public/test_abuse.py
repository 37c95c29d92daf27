"""Abuse: tokens that are not what they seem, programs that follow every link, words that are code, crowds on a link."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from email import message_from_bytes, policy

from sqlalchemy import event, select, update

from mobilizer.audience.lists import MemberList, Subscription
from mobilizer.audience.members import Member
from mobilizer.blasts.blasts import Rendition as RenditionRow
from mobilizer.engagement.events import Event, EventKind
from mobilizer.engagement.hits import Hit, record
from mobilizer.engagement.sharing import brought_by
from mobilizer.keys import Keyring, Purpose, Ticket
from mobilizer.message.compose import compose
from mobilizer.message.content import Recipient, Tokens
from mobilizer.message.rendition import Rendition
from tests.one_database import database_url as database_url
from tests.public.conftest import World

# What the token of each route with one is for. A new route has its line here, or this test says so.
PURPOSES = {
    "click": Purpose.CLICK,
    "pixel": Purpose.OPEN,
    "view": Purpose.VIEW,
    "unsubscribe": Purpose.UNSUBSCRIBE,
    "leave": Purpose.UNSUBSCRIBE,
    "undo": Purpose.UNSUBSCRIBE,
    "say_why": Purpose.UNSUBSCRIBE,
    "leave_again": Purpose.UNSUBSCRIBE,
    "back": Purpose.UNSUBSCRIBE,
    "preferences": Purpose.PREFERENCES,
    "save_preferences": Purpose.PREFERENCES,
    "ask_for_record": Purpose.PREFERENCES,
    "erase": Purpose.PREFERENCES,
    "record_asked": Purpose.PREFERENCES,
    "erased": Purpose.PREFERENCES,
    "preferences_again": Purpose.PREFERENCES,
    "record_again": Purpose.RECORD,
    "record": Purpose.RECORD,
    "show_record": Purpose.RECORD,
    "take_shown_record": Purpose.RECORD,
    "take_record": Purpose.RECORD,
    "erase_by_record": Purpose.RECORD,
    "confirm_page": Purpose.CONFIRM,
    "confirm": Purpose.CONFIRM,
    "click_in_sums": Purpose.SUMS,
    "pixel_in_sums": Purpose.SUMS,
}
# A proof's links lead into the same routes.
ALSO = {"click_in_sums": Purpose.CLICK, "pixel_in_sums": Purpose.OPEN}
SCRIPT = "<script>alert(1)</script>\"'><img src=x onerror=alert(1)>{{ 7*7 }}"


def wrong(world: World, purpose: Purpose, also: Purpose | None) -> Iterator[str]:
    """Tokens that this route must not know: of another key, purpose or member, cut, stretched, spelled anew."""
    good, amals = world.token(purpose), world.token(purpose, world.amal)
    head = len(good) - 32  # what stands before the MAC
    yield Keyring({1: b"x" * 32}, b"y" * 32).token(purpose, Ticket(world.ana, world.blast))
    yield from (world.token(other) for other in Purpose if other not in (purpose, also))
    yield good[:head] + amals[head:]  # Ana's ticket with Amal's signature
    yield amals[:head] + good[head:]
    for number in range(3):  # the next numbers, under a signature that was good for one
        yield good[:2] + f"{world.amal + number:08x}" + good[10:]
    yield from (good[:length] for length in (0, 1, head, head + 31, len(good) - 1))
    yield from (good + "0", "0" + good, good.upper(), good[::-1], f"{good[:-1]}{'0' if good[-1] != '0' else '1'}")


def test_a_token_that_is_not_for_a_route_opens_and_changes_nothing(world: World) -> None:
    before, browser = world.snapshot(), world.browser()
    rules = [
        rule
        for rule in world.app.url_map.iter_rules()
        if "token" in rule.arguments and rule.endpoint.startswith("public.")
    ]
    assert {rule.endpoint.removeprefix("public.") for rule in rules} <= set(PURPOSES)
    with world.app.test_request_context():
        adapter = world.app.url_map.bind("localhost")
        for rule in rules:
            others = {name: value for name, value in {"n": 1, "tag": "es"}.items() if name in rule.arguments}
            name = rule.endpoint.removeprefix("public.")
            for token in filter(None, wrong(world, PURPOSES[name], ALSO.get(name))):
                address = adapter.build(rule.endpoint, {"token": token, **others})
                for method in (rule.methods or set()) & {"GET", "POST"}:
                    answer = browser.open(address, method=method, data={"only": "1", "why": "other", "language": "ar"})
                    assert answer.status_code in ((200,) if "pixel" in rule.endpoint else (404, 405)), address
                    assert b"example.org" not in answer.data
    assert world.snapshot() == before


def mail_to_ana(world: World) -> str:
    """The mail that Ana got: its header and both of its parts, as a program reads them."""
    ticket = Ticket(world.ana, world.blast)
    with world.installation.database.read() as session:
        kept = session.scalars(select(RenditionRow).where(RenditionRow.language == "es")).one()
        tokens = Tokens(*world.installation.keyring.mail_tokens(ticket))
        today = datetime.now(UTC)
        recipient = Recipient("ana@example.org", "Ana", today.date(), "News", "list-0", world.code(world.ana), tokens)
        content = compose(Rendition.loads(kept.compiled), recipient, today, None)
    mail = message_from_bytes(content, policy=policy.default)
    return "\n".join([*map(str, mail.values()), *(part.get_content() for part in mail.iter_parts())])


def test_programs_that_follow_every_link_of_a_mail_change_nothing(world: World) -> None:
    """What they did is kept as an event, by the name of the rule that knows them; not a byte of anything else."""
    base = world.installation.settings.base_url
    found = {link[len(base) :] for link in re.findall(rf"{re.escape(base)}[^\s\"'<>)\]]+", mail_to_ana(world))}
    links = sorted(link for link in found if not link.startswith("/media/"))
    assert {link[:3] for link in links} >= {"/c/", "/u/", "/p/", "/v/", "/o/"}, links
    before, browser = world.snapshot(), world.browser()
    ways = [
        ("HEAD", {}),
        ("OPTIONS", {}),
        ("GET", {"Purpose": "prefetch"}),
        ("GET", {"Sec-Purpose": "prefetch;prerender"}),
    ]
    for link in links:
        for method, headers in ways:
            assert browser.open(link, method=method, headers=headers).status_code < 400, (method, link)
    after = world.snapshot()
    assert {name for name, rows in after.items() if rows != before[name]} <= {"events", "recorded_parcels"}
    assert all(event.machine for event in world.events())


def test_what_somebody_typed_is_never_code(world: World) -> None:
    with world.installation.database.write() as session:
        session.execute(update(MemberList).values(name=SCRIPT, description=SCRIPT, open=True))
    browser = world.browser()
    leave, preferences = f"/u/{world.token(Purpose.UNSUBSCRIBE)}", f"/p/{world.token(Purpose.PREFERENCES)}"
    typed = dict.fromkeys(("language", "second_language", "mails", "why", "words", "name", "email", "only"), SCRIPT)
    typed |= dict.fromkeys(("of", "by", "c", "stamp", "channel", "did"), SCRIPT)
    query = {"in": SCRIPT, "of": SCRIPT, "by": SCRIPT, "c": SCRIPT}
    answers = [browser.get(path, query_string=query) for path in (leave, preferences, "/j/list-0", "/j/list-0/sent")]
    answers += [
        browser.post(path, data=typed, query_string=query)
        for path in (preferences, leave, f"{leave}/why", f"{leave}/undo", "/j/list-0", "/w/love-always-wins/es")
    ]
    browser.post(leave)
    answers.append(browser.post(f"{leave}/why", data={"words": SCRIPT}))
    for answer in answers:
        assert answer.status_code in (200, 404, 422), answer.request.path
        assert "<script>alert" not in answer.text
        assert "<img src=x" not in answer.text
        assert "{{" not in answer.text.replace("{{ 7*7 }}", "")
        assert "49</" not in answer.text
        assert "script-src 'self'" in answer.headers["Content-Security-Policy"]
    with world.installation.database.read() as session:
        assert session.get_one(Member, world.ana).language == "es"
        assert len(session.scalars(select(Subscription)).all()) == 4


def test_a_share_code_that_was_posted_publicly_costs_a_crowd_a_handful_of_statements(world: World) -> None:
    """A hundred thousand visits come in by batches: what a batch costs the database does not grow with it, nor what it
    leaves there. `mobilizer bench flood` does it over HTTP."""
    database, said = world.installation.database, [0]

    def crowd(visits: int) -> list[Hit]:
        return [Hit(EventKind.VISIT, 1_800_000_000.0, blast=world.blast, via=world.ana) for _ in range(visits)]

    def listen(*_: object) -> None:
        said[0] += 1

    costs = []
    event.listen(database.engine, "before_cursor_execute", listen)
    for visits in (11, 2000):
        said[0] = 0
        with database.write() as session:
            assert record(session, crowd(visits)) == visits
        costs.append(said[0])
    event.remove(database.engine, "before_cursor_execute", listen)
    assert costs[1] == costs[0]
    with database.read() as session:
        assert brought_by(session, world.ana).visits == 2011
        assert [event.times for event in session.scalars(select(Event).order_by(Event.id))] == [1, 10, 1, 1999]
