"""A follow-up to those who shared tells each what came of it, in their language, and asks once for a whole batch."""

from __future__ import annotations

import email
import email.policy
from collections.abc import Iterator, Sequence

import pytest
from sqlalchemy import event, update

from mobilizer.appeals.appeals import Appeal, Translation
from mobilizer.blasts.blasts import Blast
from mobilizer.delivery import slices
from mobilizer.engagement.events import Event, EventKind
from mobilizer.engagement.recruits import recruited
from mobilizer.engagement.thanks import SAID, said, thanks
from mobilizer.languages import MEMBER_LANGUAGES
from mobilizer.segments import follow_ups
from mobilizer.segments.follow_ups import FollowUp
from tests.segments.test_choosing import another_blast, checked, did, frozen, start
from tests.transport.scripted_relay import ScriptedRelay
from tests.worlds import World

TAGS = '{{ friends_watched }} {{ friends_joined | "%s" }}'


def friends(world: World, blast: int, member: int, watched: int, joined: Sequence[int] = ()) -> None:
    with world.installation.database.write() as session:
        for channel in ("start", "complete"):
            session.add_all(
                Event(kind=EventKind.WATCH, blast_id=blast, via_id=member, channel=channel) for _ in range(watched)
            )
        session.add(Event(kind=EventKind.WATCH, blast_id=blast, via_id=member, channel="start", machine="prefetch"))
        for one in joined:
            recruited(session, one, member, blast, "")


def thank(world: World, blast: int) -> None:
    """Write thanks into the appeal, and make the draft of a follow-up for who shared the blast."""
    with world.installation.database.write() as session:
        followed = session.get_one(Blast, blast)
        for tag, fallback in (("en", "Nobody yet"), ("es", "Nadie")):
            mine = (Translation.appeal_id == followed.appeal_id, Translation.language == tag)
            session.execute(update(Translation).where(*mine).values(body=TAGS % fallback))
        session.expire_all()
        world.blast_id = follow_ups.draft(session, followed, FollowUp.SHARED, session.get_one(Appeal, 1)).id


def texts(world: World) -> dict[str, str]:
    """What each read, by the name they are called."""
    with ScriptedRelay() as relay:
        here = world.installation
        changed = {"smtp_port": relay.port, "smtp_connections": 1, "loopback_only": True}
        installation = type(here)(here.settings.model_copy(update=changed), here.database, here.keyring)
        for batch in world.batches():
            slices.send(installation, batch, "test", lambda: False, thanks=thanks)
    mails = [email.message_from_bytes(mail, policy=email.policy.default) for mail in relay.messages]
    return {str(mail["To"]).partition("@")[0][-1]: mail.get_body(("plain",)).get_content() for mail in mails}  # type: ignore[union-attr]


@pytest.fixture
def questions(world: World) -> Iterator[list[str]]:
    asked: list[str] = []

    def note(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        if "via_id IN" in statement:
            asked.append(statement)

    engine = world.installation.database.engine
    event.listen(engine, "before_cursor_execute", note)
    yield asked
    event.remove(engine, "before_cursor_execute", note)


def test_each_is_told_what_came_of_their_sharing_in_their_language(world: World, questions: list[str]) -> None:
    one, two, three, four, five = world.members  # en, es, en, es, en
    first = another_blast(world, "first", world.members)
    did(world, *((member, EventKind.SHARE) for member in (one, two, three, four)), blast=first)
    friends(world, first, one, 12, [five])
    friends(world, first, two, 1)
    friends(world, first, four, 3)
    thank(world, first)
    assert "thanks" in [line.problem.code for line in checked(world).lines if line.level == "ok"]
    start(world)
    assert len(frozen(world, 100)) == 4
    read = texts(world)
    assert "12 people watched because of you. 1 person signed up through your link." in read["0"]
    assert "1 persona la ha visto gracias a ti. Nadie" in read["1"]
    assert "Your friends can still watch with your link. Nobody yet" in read["2"], "machines are nobody"
    assert "3 personas la han visto gracias a ti." in read["3"]
    assert len(questions) == 2 * 2, "for each of the two languages, however many they are"


def test_thanks_to_others_than_those_who_shared_are_amber(world: World) -> None:
    thank(world, another_blast(world, "first", world.members))
    with world.installation.database.write() as session:
        session.get_one(Blast, world.blast_id).narrowing = {}
    amber = [line for line in checked(world).lines if line.problem.code == "thanks.nobody"]
    assert [(line.level, line.language, line.field) for line in amber] == [("warning", "en", "body")]


@pytest.mark.parametrize("tag", SAID)
def test_the_numbers_are_in_the_plural_of_every_language(tag: str) -> None:
    for language in MEMBER_LANGUAGES:
        assert "21" in said(tag, 21, language)
    assert said("friends_watched", 2, "pl") == "Dzięki tobie film obejrzały 2 osoby."
    assert said("friends_watched", 2, "ar") == "شاهد شخصان بفضلك."
