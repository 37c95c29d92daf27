"""`mobilizer receive`: a mail to the address in List-Unsubscribe takes its sender off everything, for ever."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest
from click.testing import CliRunner, Result
from sqlalchemy import delete, select

from mobilizer.audience.leaving_reasons import tell
from mobilizer.audience.lists import Subscription
from mobilizer.blasts.blasts import Blast
from mobilizer.cli import main
from mobilizer.custody import rotating
from mobilizer.custody.resealing import reseal
from mobilizer.engagement.events import Event
from mobilizer.installation import install
from mobilizer.keys import Purpose, Ticket
from mobilizer.settings import Settings
from tests.one_database import database_url as database_url
from tests.worlds import World


@pytest.fixture
def world(settings: Settings) -> Iterator[World]:
    """A small organisation whose keys lie in its home folder, where commands find them."""
    here = install(settings)
    world = World(here)
    world.make_list()
    world.join(["en", "es", "en"])
    world.write_appeal()
    yield world
    here.database.close()


def receive(world: World, token: str, *lines: str, **settings: str) -> Result:
    where = world.installation.settings
    mail = "\r\n".join(["Return-Path: <ana@example.org>", f"To: u+{token}@bounce.example.org", *lines, "", "bye"])
    environment = {"MOBILIZER_DATABASE_URL": where.database, **settings}
    return CliRunner().invoke(main, ["--home", str(where.home), "receive"], input=mail.encode(), env=environment)


def standings(world: World) -> list[str]:
    with world.installation.database.read() as session:
        return list(session.scalars(select(Subscription.standing).order_by(Subscription.member_id)))


def test_a_mail_unsubscribes_whoever_its_token_is_for_and_nobody_else(world: World) -> None:
    keyring = world.installation.keyring
    ticket = Ticket(world.members[1], world.blast_id)
    token = keyring.token(Purpose.UNSUBSCRIBE, ticket)
    nothing = (
        (keyring.token(Purpose.PREFERENCES, ticket),),  # of another purpose
        (token[:-1] + ("0" if token[-1] != "0" else "1"),),  # forged
        (token, "Auto-Submitted: auto-replied"),
        (token, "Content-Type: multipart/report; boundary=x"),
    )
    for case in nothing:
        assert receive(world, *case).exit_code == 0
    assert standings(world) == ["confirmed"] * 3
    for _ in range(2):
        done = receive(world, token)
        assert done.exit_code == 0
        assert "@" not in done.output
        assert standings(world) == ["confirmed", "unsubscribed", "confirmed"]
    with world.installation.database.read() as session:
        assert [(e.kind, e.member_id, e.blast_id) for e in session.scalars(select(Event))] == [
            ("unsubscribe", world.members[1], world.blast_id)
        ]


def test_it_works_after_the_keys_changed_and_the_blast_is_gone(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rotating, "_current_is_young", lambda _here: False)
    here = world.installation
    token = here.keyring.token(Purpose.UNSUBSCRIBE, Ticket(world.members[0], world.blast_id))
    rotating.add_key(here)
    rotating.rotate(here)
    for _ in reseal(here):
        pass
    rotating.retire(here, 1)
    with here.database.write() as session:
        session.execute(delete(Blast).where(Blast.id == world.blast_id))
    assert receive(world, token).exit_code == 0
    assert standings(world) == ["unsubscribed", "confirmed", "confirmed"]


def test_where_nothing_can_be_written_the_mail_server_is_to_come_again(world: World) -> None:
    token = world.installation.keyring.token(Purpose.UNSUBSCRIBE, Ticket(world.members[0], 0))
    assert receive(world, token, MOBILIZER_DATABASE_URL="sqlite:////nowhere/at/all").exit_code == 75


def test_why_people_left_is_counted_on_the_command_line(world: World) -> None:
    here = world.installation
    with here.database.write() as session:
        tell(session, here.keyring, world.members[0], "too_many", "", "en")
        tell(session, here.keyring, world.members[1], "", "Something of my own", "en")
    asked = ["--home", str(here.settings.home), "members", "leaving", "--json"]
    said = CliRunner().invoke(main, asked, env={"MOBILIZER_DATABASE_URL": here.settings.database})
    assert (said.exit_code, json.loads(said.output)) == (0, {"too_many": 1, "own_words_only": 1})
