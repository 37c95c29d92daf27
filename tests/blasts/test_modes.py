"""What a blast's mails and pages tell of who reads them, and what they keep to themselves."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, date, datetime
from email import message_from_bytes, policy
from email.message import EmailMessage

import pytest

from mobilizer.appeals.appeals import Appeal
from mobilizer.audience.lists import MemberList
from mobilizer.audience.members import Member
from mobilizer.blasts.blasts import Blast, BlastState
from mobilizer.blasts.check import check
from mobilizer.blasts.mode_checks import mode_checks
from mobilizer.blasts.modes import Modes, modes_of
from mobilizer.blasts.narrowing import CannotChoose
from mobilizer.blasts.renditions import freeze, thaw
from mobilizer.db import Database
from mobilizer.delivery import claims, leases, proof
from mobilizer.delivery.loads import Loader
from mobilizer.engagement.events import EventKind
from mobilizer.engagement.hits import Hit, record
from mobilizer.installation import Installation
from mobilizer.keys import MAILED, Purpose, Ticket
from mobilizer.segments.follow_ups import FollowUp, fits, refused, rules_of
from mobilizer.segments.tree import gone
from mobilizer.segments.voice import names
from mobilizer.tracking import Tracking, strictest
from tests.one_database import database_url  # noqa: F401
from tests.worlds import World

EVERYWHERE = {
    "en": ("Save the river", "Hello {{ first_name }},", "Hello friend,", "Watch. [More](https://example.org/en)"),
    "es": ("Salva el río", "Hola, {{ first_name }}:", "Hola:", "Míralo. [Más](https://example.org/es)"),
    "ar": ("أنقذوا النهر", "مرحبًا {{ first_name }}،", "مرحبًا،", "شاهد. [المزيد](https://example.org/ar)"),
    "hi": ("नदी बचाओ", "नमस्ते {{ first_name }},", "नमस्ते,", "देखिए। [और](https://example.org/hi)"),
}


@pytest.fixture
def world(installation: Installation) -> World:
    """Two members of each language, who may be told apart by name, list and day."""
    world = World(installation)
    first, second = world.make_list(), world.make_list("others")
    world.join(EVERYWHERE, first)
    world.join(EVERYWHERE, second)
    world.write_appeal("save-the-river", EVERYWHERE)
    with installation.database.write() as session:
        blast = session.get_one(Blast, world.blast_id)
        blast.targets.append(type(blast.targets[0])(list_id=second, included=True))
    return world


def set_modes(world: World, **values: object) -> None:
    with world.installation.database.write() as session:
        blast = session.get_one(Blast, world.blast_id)
        for name, value in values.items():
            setattr(blast, name, value)


def mails(world: World) -> dict[str, list[tuple[int, EmailMessage]]]:
    """What would leave, by language: each member's number and their whole mail."""
    assert world.launch()
    found: dict[str, list[tuple[int, EmailMessage]]] = {}
    for member, tag, content in _leaving(world):
        found.setdefault(tag, []).append((member, message_from_bytes(content, policy=policy.default)))
    return found


def _leaving(world: World) -> Iterator[tuple[int, str, bytes]]:
    database: Database = world.installation.database
    for batch in world.batches():
        with database.write() as session:
            lease = leases.take(session, batch, "test", 60)
            assert lease is not None
            loader = Loader(world.installation)
            loader.prepare(session, lease)
            people, _ = claims.due_people(session.connection(), lease)
        for person in people:
            yield person.member, lease.language, loader.load(person).content


def parts(message: EmailMessage) -> tuple[str, str]:
    """The decoded text and HTML."""
    text, html = (message.get_body((kind,)) for kind in ("plain", "html"))
    assert text is not None
    assert html is not None
    return str(text.get_content()), str(html.get_content())


def share_codes(world: World) -> dict[int, str]:
    """The share code of each member."""
    with world.installation.database.read() as session:
        return {member.id: member.share_code for member in session.query(Member)}


def alike(message: EmailMessage, member: str) -> tuple[str, str, list[tuple[str, str]]]:
    """A mail without what one person's must have: their address, name, Message-ID, and the way to leave. Headers are as
    they stand in it, in their order."""
    own = {"to", "message-id", "list-unsubscribe"}
    headers = [(name, str(value)) for name, value in message.raw_items() if name.lower() not in own]
    text, html = (re.sub(r"/u/[0-9a-f]{50}", "/u/…", part).replace(member, "…") for part in parts(message))
    return text, html, headers


def test_mails_that_count_nothing_are_alike_but_for_greeting_and_unsubscribe_in_every_language(world: World) -> None:
    set_modes(world, tracking=Tracking.OFF)
    found, codes = mails(world), share_codes(world)
    assert set(found) == set(EVERYWHERE)
    for tag, theirs in found.items():
        (one, first), (other, second) = theirs
        assert one != other
        left, right = (alike(message, f"Ana{member - 1}") for member, message in theirs)
        assert left == right
        text, html = parts(first)
        assert f"/w/save-the-river/{tag}" in text
        assert f"https://example.org/{tag}" in html
        tokens = {kind for kind, _ in re.findall(r"/(\w)/([0-9a-f]{50})", text + html)}
        assert tokens == {"u"}
        assert "/o/" not in html
        spelled = first.as_string() + text + html
        known = set(re.findall(r"[0-9a-f]{50}", spelled))
        mailed = dict(zip(MAILED, world.installation.keyring.mail_tokens(Ticket(one, world.blast_id)), strict=True))
        assert known == {mailed[Purpose.UNSUBSCRIBE], mailed[Purpose.MESSAGE]}  # neither a bounce's, nor a share code
        assert codes[one] not in spelled
        assert {part.get_content_type() for part in first.walk()} == {
            "multipart/alternative",
            "text/plain",
            "text/html",
        }
        assert parts(first) != parts(second)


def test_mails_counted_in_sums_name_nobody_but_where_one_leaves(world: World) -> None:
    set_modes(world, tracking=Tracking.SUMS)
    keyring, codes = world.installation.keyring, share_codes(world)
    for tag, theirs in mails(world).items():
        tokens = [re.findall(r"/(\w)/([0-9a-f]{50})([\w./-]*)", "".join(parts(message))) for _, message in theirs]
        common = [{found for found in one if found[0] != "u"} for one in tokens]
        assert common[0] == common[1]
        assert {rest for _, _, rest in common[0]} == {f"/{tag}/1", f"/{tag}/2", f"/{tag}.gif"} | {
            rest for _, _, rest in common[0] if re.fullmatch(rf"/{tag}/[3-6]", rest)
        }
        assert all(keyring.read_token(Purpose.SUMS, token) == Ticket(0, world.blast_id) for _, token, _ in common[0])
        assert {kind for kind, *_ in tokens[0]} == {"n", "u"}
        assert not [member for member, message in theirs if codes[member] in "".join(parts(message))]


def test_who_turned_tracking_off_gets_mail_that_counts_nothing_in_any_blast(world: World) -> None:
    quiet = world.members[0]
    with world.installation.database.write() as session:
        session.get_one(Member, quiet).tracking = False
    for member, message in mails(world)["en"]:
        followed = {kind for kind, _ in re.findall(r"/(\w)/([0-9a-f]{50})", "".join(parts(message)))}
        assert followed == ({"u"} if member == quiet else {"c", "o", "u", "p", "v"})
    with world.installation.database.write() as session:
        hits = [Hit(EventKind.CLICK, 1e9, world.blast_id, number) for number in world.members[:2]]
        assert record(session, hits) == 1  # by a link in an older mail


@pytest.mark.parametrize(
    ("blast", "lists", "given"),
    [
        ("pseudonymous", ("pseudonymous", "pseudonymous"), Tracking.PSEUDONYMOUS),
        ("pseudonymous", ("sums", "pseudonymous"), Tracking.SUMS),
        ("off", ("sums", "pseudonymous"), Tracking.OFF),
        ("sums", ("off", "pseudonymous"), Tracking.OFF),
    ],
)
def test_the_strictest_of_a_blast_and_its_lists_wins(blast: str, lists: tuple[str, ...], given: Tracking) -> None:
    assert strictest([blast, *lists]) is given


def test_a_blast_keeps_the_modes_it_left_with_until_it_is_taken_back(world: World) -> None:
    def modes() -> Modes:
        with world.installation.database.read() as session:
            return modes_of(session.get_one(Blast, world.blast_id))

    def change(tracking: Tracking) -> None:
        with world.installation.database.write() as session:
            session.get_one(MemberList, world.list_id).tracking = tracking

    change(Tracking.SUMS)
    assert modes() == Modes(Tracking.SUMS)
    with world.installation.database.write() as session:
        freeze(session, world.installation.settings, session.get_one(Blast, world.blast_id))
    change(Tracking.OFF)
    assert modes() == Modes(Tracking.SUMS)
    with world.installation.database.write() as session:
        thaw(session, world.blast_id)
    assert modes() == Modes(Tracking.OFF)


CANARIES = {
    **{field: f"canary{field.replace('_', '')}" for field in (
        "title", "subject", "preheader", "greeting", "greeting_nameless", "body", "button", "poster_alt", "share_text",
        "share_whatsapp", "share_email", "share_sms", "join_text",
    )},
    "discreet_sender": "Marta", "discreet_subject": "About Thursday", "discreet_preheader": "Two minutes.",
}  # fmt: skip


def test_a_discreet_mail_has_no_word_of_the_cause_in_any_header_or_part(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    with world.installation.database.write() as session:
        for translation in session.query(Appeal).one().translations:
            for field, words in CANARIES.items():
                setattr(translation, field, words)
    set_modes(world, discreet=True, slug="canaryblast")
    with world.installation.database.write() as session:
        for n, one in enumerate(session.query(MemberList)):
            one.name, one.slug = f"canarylist {n}", f"canarylist-{n}"
    world.installation.settings.__dict__.update(
        organisation="canaryorganisation",
        postal_address="canarystreet 5",
        sender_name="canarysender",
        sender_address="canary@canary.example",
        reply_to="canary@canary.example",
        base_url="https://canary.example",
        discreet_base_url="https://plain.example",
        discreet_sender_address="marta@plain.example",
    )
    proofs: list[tuple[object, ...]] = []
    monkeypatch.setattr(proof, "post", lambda *said: proofs.append(said[1:]))
    for tag in EVERYWHERE:
        proof.send_proof(world.installation, world.blast_id, tag, "tester@example.net")
    assert not [word for word in ("canary", "river") if word in str(proofs).lower()]
    tried = [message_from_bytes(content, policy=policy.default) for *_, content in proofs if isinstance(content, bytes)]
    assert len(tried) == len(EVERYWHERE)
    sent = [message for theirs in mails(world).values() for _, message in theirs]
    for message in (*tried, *sent):
        everything = "".join(f"{name}: {value}\n" for name, value in message.items()) + "".join(parts(message))
        assert "canary" not in everything.lower()
        assert "river" not in everything.lower()
        assert message["Subject"] == "About Thursday" or message in tried
        assert str(message["From"]) == "Marta <marta@plain.example>"
        assert "https://plain.example/c/" in everything
        assert "discreet" not in everything.lower()  # nor that there is something to hide
        assert "discreet" not in str(message.raw_items()).lower()


@pytest.mark.parametrize(
    "modes", [{"tracking": Tracking.SUMS}, {"tracking": Tracking.OFF}, {"discreet": True}], ids=str
)
def test_the_check_list_finds_no_fault_in_a_mode_but_what_a_discreet_mail_lacks(
    world: World, modes: dict[str, object]
) -> None:
    def red() -> set[str]:
        with world.installation.database.read() as session:
            blast = session.get_one(Blast, world.blast_id)
            found = check(session, world.installation, blast, date(2026, 11, 23))
            return {line.problem.code for line in found.lines if line.level == "error"}

    usual = red()
    set_modes(world, **modes)
    lacking = {"discreet.words", "discreet.site", "discreet.sender"} if modes.get("discreet") else set()
    assert red() >= lacking
    assert not {code for code in red() - lacking - usual if not code.startswith("sender")}


def test_the_check_list_names_the_list_that_makes_a_blast_stricter_than_it_says(world: World) -> None:
    def told() -> list[object]:
        with world.installation.database.read() as session:
            blast = session.get_one(Blast, world.blast_id)
            lines = mode_checks(world.installation.settings, blast)
            return [line.problem.params["list"] for line in lines if line.problem.code == "modes.list"]

    assert told() == []
    with world.installation.database.write() as session:
        strict = session.get_one(MemberList, world.list_id)
        strict.tracking, name = Tracking.SUMS, strict.name
    assert told() == [name]
    set_modes(world, tracking=Tracking.OFF)  # stricter still: now the blast decides
    assert told() == []


def test_a_follow_up_refuses_a_blast_that_was_not_counted_by_member(world: World) -> None:
    set_modes(world, tracking=Tracking.SUMS)
    assert world.launch()
    with world.installation.database.read() as session:
        blast = session.get_one(Blast, world.blast_id)
        blast.state = BlastState.SENT
        assert [problem.code for problem in refused(blast)] == ["segment.not_counted"]
        rules = rules_of(FollowUp.UNOPENED, blast.id)
        assert {problem.code for problem in gone(rules, names(session))} == {"segment.not_counted"}
        with pytest.raises(CannotChoose):
            fits(session, FollowUp.UNOPENED, blast.id, datetime(2026, 11, 23, tzinfo=UTC))
        session.rollback()
