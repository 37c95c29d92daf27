"""Uncertain mails: the evidence, the two choices, each made once and by those who may."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from markupsafe import escape
from sqlalchemy import select, update

from mobilizer.blasts import lifecycle
from mobilizer.blasts.blasts import Blast
from mobilizer.blasts.tickets import tokens_for
from mobilizer.catalogs import phrases
from mobilizer.db import clock
from mobilizer.delivery.ledger import DeliveryState, LeaseRecord
from mobilizer.keys import Ticket
from mobilizer.organizers.audit import AuditEntry
from mobilizer.organizers.policy import Role
from mobilizer.organizers.users import User
from mobilizer.transport.losses import LOSSES, Loss
from tests.one_database import database_url  # noqa: F401 - tests/cli lists and decides on both
from tests.web.appeal_stage import make_ready, settle
from tests.web.conftest import Browser
from tests.worlds import World

BLAST = "/blasts/love-always-wins"
PAGE, RESEND, LEAVE = f"{BLAST}/uncertain", f"{BLAST}/uncertain/resend", f"{BLAST}/uncertain/leave"
SignIn = Callable[..., Browser]


@pytest.fixture
def unsure(world: World) -> World:
    """Two mails accepted; two lost with their worker, one with its connection."""
    make_ready(world)
    world.launch()
    for member in world.members[:2]:
        settle(world, member, DeliveryState.ACCEPTED)
    for member in world.members[2:4]:
        settle(world, member, DeliveryState.UNCERTAIN, reason="worker_lost", settled_at=clock())
    lost = {"reason": "broke", "reply": "Connection reset by peer", "relay": "north"}
    settle(world, world.members[4], DeliveryState.UNCERTAIN, **lost, settled_at=clock(), epoch=1)
    with world.installation.database.write() as session:
        for batch in world.batches():
            session.add_all([LeaseRecord(batch_id=batch, epoch=epoch, owner=f"worker-{epoch}") for epoch in (1, 2)])
    return world


@pytest.fixture
def organizer(signed_in: SignIn, unsure: World) -> Browser:
    return signed_in(Role.ORGANIZER)


def log(world: World) -> list[tuple[str, int | None, dict[str, object]]]:
    with world.installation.database.read() as session:
        entries = session.scalars(select(AuditEntry).where(AuditEntry.action.like("blast.%"))).all()
        return [(entry.action, entry.user_id, entry.detail) for entry in entries]


def test_the_evidence_says_where_to_look(organizer: Browser, unsure: World) -> None:
    page = organizer.get(PAGE).text
    assert "Of 3 mails nobody here can say whether they arrived" in page
    assert page.count("The worker was lost before the answer") == 3, "two mails and their tab"
    assert "Ana2 López" in page
    assert "north" in page
    assert "worker-1" in page
    assert "worker-2" not in page, "who has taken the batch over since"
    assert re.search(r"&lt;\w{20,}@mail\.example\.org&gt;", page), "the Message-ID"
    assert "member2@" not in page


@pytest.mark.parametrize("tag", ["en", "es", "fr", "pt", "ar"])
def test_how_an_answer_was_lost_is_said_in_the_language_of_the_page(
    organizer: Browser, unsure: World, tag: str
) -> None:
    with unsure.installation.database.write() as session:
        session.execute(update(User).values(interface_language=tag))
    page = organizer.get(PAGE).text
    words = phrases("web", tag)
    for loss in (LOSSES[Loss.BROKE], "The worker was lost before the answer"):
        assert escape(words.gettext(loss)) in page
        assert tag == "en" or words.gettext(loss) != loss
    assert "Connection reset by peer" in page


def test_the_message_id_is_that_of_the_mail(organizer: Browser, unsure: World) -> None:
    token = tokens_for(unsure.installation.keyring, Ticket(unsure.members[4], unsure.blast_id)).message
    assert f"&lt;{token}@mail.example.org&gt;" in organizer.get(PAGE).text


def test_a_viewer_neither_sees_nor_decides(signed_in: SignIn, unsure: World) -> None:
    viewer = signed_in(Role.VIEWER)
    assert viewer.get(PAGE).status_code == 403
    assert viewer.get(RESEND).status_code == 403
    assert viewer.post(LEAVE, seen="3").status_code == 403


def test_all_are_left_at_once_and_asked_about_no_more(organizer: Browser, unsure: World) -> None:
    assert organizer.post(LEAVE, seen="3").location == PAGE
    page = organizer.get(PAGE).text
    assert "3 mails are left as they are." in page
    assert "Nothing waits for a decision" in page
    assert "3 mails were left as they are" in page
    assert "Organizer Person" in page
    assert log(unsure) == [("blast.leave", organizer.user_id, {"count": 3})]
    assert unsure.states() == {"accepted": 2, "uncertain": 3}


def test_to_send_again_asks_first_and_says_that_some_get_it_twice(organizer: Browser, unsure: World) -> None:
    page = organizer.get(f"{RESEND}?reason=worker_lost").text
    assert "Send 2 mails again?" in page
    assert "Whoever got the first one gets it twice." in page
    assert unsure.states() == {"accepted": 2, "uncertain": 3}
    organizer.post(RESEND, seen="2", reason="worker_lost")
    assert unsure.states() == {"accepted": 2, "pending": 2, "uncertain": 1}
    assert log(unsure) == [("blast.resend", organizer.user_id, {"count": 2})]
    assert "2 mails are sent again." in organizer.get(PAGE).text


def test_what_is_sent_again_in_a_pause_is_said_to_wait_for_its_end(organizer: Browser, unsure: World) -> None:
    with unsure.installation.database.write() as session:
        assert lifecycle.pause(session, unsure.blast_id)
    organizer.post(RESEND, seen="2", reason="worker_lost")
    assert "2 mails are sent again when the blast goes on." in organizer.get(PAGE).text
    assert unsure.blast().state == "paused"


def test_one_mail_is_decided_about_alone(organizer: Browser, unsure: World) -> None:
    row = unsure.delivery(unsure.members[3])
    assert "Send 1 mail again?" in organizer.get(f"{RESEND}?delivery={row.id}").text
    organizer.post(RESEND, seen="1", delivery=str(row.id))
    assert unsure.delivery(unsure.members[3]).state == "pending"
    assert log(unsure) == [("blast.resend", organizer.user_id, {"count": 1, "delivery": row.id})]
    organizer.post(LEAVE, seen="1", delivery=str(row.id))
    assert "there are other mails by now" in organizer.get(PAGE).text


@pytest.mark.parametrize("fields", [{"seen": "2"}, {}, {"seen": "x"}, {"seen": "3", "reason": "worker_lost"}])
def test_another_number_than_was_seen_decides_nothing(
    organizer: Browser, unsure: World, fields: dict[str, str]
) -> None:
    organizer.post(RESEND, **fields)
    organizer.post(LEAVE, **fields)
    assert unsure.states() == {"accepted": 2, "uncertain": 3}
    assert log(unsure) == []


def test_a_cancelled_blast_offers_to_leave_only(organizer: Browser, unsure: World) -> None:
    with unsure.installation.database.write() as session:
        session.execute(update(Blast).values(state="cancelled"))
    page = organizer.get(PAGE).text
    assert "nothing of it is sent any more" in page
    assert "/uncertain/resend" not in page
    assert organizer.get(RESEND).location == PAGE
    organizer.post(RESEND, seen="3")
    assert unsure.states() == {"accepted": 2, "uncertain": 3}


def test_progress_results_and_overview_lead_there(organizer: Browser, unsure: World) -> None:
    for path in (f"{BLAST}/progress", f"{BLAST}/results", "/results", "/", f"{BLAST}/deliveries?state=uncertain"):
        assert f'href="{PAGE}"' in organizer.get(path).text, path
    organizer.post(LEAVE, seen="3")
    for path in (f"{BLAST}/progress", f"{BLAST}/results", "/results", "/"):
        assert f'href="{PAGE}"' not in organizer.get(path).text, path


def test_a_reason_that_there_is_not_and_a_number_that_is_none_are_nobodys(organizer: Browser, unsure: World) -> None:
    assert "Nothing waits for a decision" in organizer.get(f"{PAGE}?reason=%3Cnone%3E").text
    assert organizer.get(f"{PAGE}?after=-1&delivery=x").status_code == 200
