"""What the tests of notices share: a launched blast, the people who may hear of it, a relay for the mails."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from email import message_from_bytes
from email.message import Message
from email.policy import default

import pytest
from sqlalchemy import select, update

from mobilizer.blasts import lifecycle
from mobilizer.db import clock
from mobilizer.installation import Installation
from mobilizer.notices import mailing, noting
from mobilizer.notices.notices import Notice, NoticeMail
from mobilizer.organizers.audit import record
from mobilizer.organizers.policy import Role
from mobilizer.problems import Problem
from tests.transport.scripted_relay import ScriptedRelay
from tests.web.conftest import make_user
from tests.worlds import World

OUT = Problem(
    "relay", "No connection to the relay %(host)s:%(port)s: %(reason)s", {"host": "mx", "port": 25, "reason": "no"}
)


class Newsroom:
    """A launched blast in a world with an administrator, its launcher, another organizer, a translator, a viewer."""

    def __init__(self, world: World, relay: ScriptedRelay) -> None:
        here = world.installation
        changed = {"smtp_port": relay.port, "loopback_only": True}
        self.installation = Installation(here.settings.model_copy(update=changed), here.database, here.keyring)
        self.world, self.relay, self.blast_id = world, relay, world.blast_id
        self.admin = make_user(here, Role.ADMIN)
        self.launcher = make_user(here, Role.ORGANIZER)
        self.other = make_user(here, Role.ORGANIZER, "other@example.org")
        self.translator = make_user(here, Role.TRANSLATOR)
        self.viewer = make_user(here, Role.VIEWER)
        with here.database.write() as session:
            record(session, self.launcher, "blast.launch", f"blast:{world.blast_id}")

    def hold(self, retry_seconds: float | None = 300) -> None:
        with self.installation.database.write() as session:
            assert lifecycle.hold(session, self.blast_id, OUT, retry_seconds)

    def resume(self) -> None:
        with self.installation.database.write() as session:
            assert lifecycle.resume(session, self.blast_id)

    def note(self) -> list[int]:
        with self.installation.database.write() as session:
            return noting.note(session)

    def send_due(self) -> int:
        """Send what is due; how many mails were."""
        with self.installation.database.read() as session:
            due = mailing.due(session, 100)
        for mail in due:
            mailing.send(self.installation, mail)
        return len(due)

    def later(self, seconds: float) -> None:
        """Let time pass for the mails."""
        with self.installation.database.write() as session:
            for mail in session.scalars(select(NoticeMail)):
                shift = {"next_at": clock(-seconds + _ahead(session, mail))}
                session.execute(update(NoticeMail).where(NoticeMail.id == mail.id).values(**shift))

    def kinds(self) -> list[str]:
        with self.installation.database.read() as session:
            return list(session.scalars(select(Notice.kind).order_by(Notice.id)))

    def readers(self) -> list[int]:
        """Whom the newest notice is for."""
        with self.installation.database.read() as session:
            newest = select(Notice.id).order_by(Notice.id.desc()).limit(1).scalar_subquery()
            return sorted(session.scalars(select(NoticeMail.user_id).where(NoticeMail.notice_id == newest)))

    def mails(self) -> list[tuple[str, int, str]]:
        """(state, tries, why) of every mail, in order."""
        with self.installation.database.read() as session:
            return [(m.state, m.tries, m.why) for m in session.scalars(select(NoticeMail).order_by(NoticeMail.id))]

    def arrived(self) -> list[Message]:
        return [message_from_bytes(content, policy=default) for content in self.relay.messages]


def _ahead(session: object, mail: NoticeMail) -> float:
    now = session.scalar(select(clock()))  # type: ignore[attr-defined]
    return float((mail.next_at - now).total_seconds())


@pytest.fixture
def relay() -> Iterator[ScriptedRelay]:
    with ScriptedRelay() as relay:
        yield relay


@pytest.fixture
def newsroom(world: World, relay: ScriptedRelay) -> Newsroom:
    world.launch()
    return Newsroom(world, relay)


@pytest.fixture
def wish(newsroom: Newsroom) -> Callable[..., None]:
    """Let a user say what they want."""
    from mobilizer.organizers.users import User

    def say(user_id: int, **wishes: str) -> None:
        with newsroom.installation.database.write() as session:
            session.get_one(User, user_id).notices = wishes

    return say
