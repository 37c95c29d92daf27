"""What is held of a blast, on its pages: who waits for a language, and the buttons that let them go."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from sqlalchemy import select, update

from mobilizer.appeals.appeals import Appeal
from mobilizer.blasts.blasts import Blast
from mobilizer.blasts.departure import Departure
from mobilizer.organizers.audit import AuditEntry
from mobilizer.organizers.policy import Role
from tests.delivery.test_waves import write_arabic
from tests.one_database import database_url  # noqa: F401
from tests.web.appeal_stage import make_ready
from tests.web.conftest import Browser
from tests.worlds import World, _translation

BLAST = "/blasts/love-always-wins"


@pytest.fixture
def organizer(signed_in: Callable[..., Browser], world: World) -> Browser:
    make_ready(world)
    world.join(["ar", "ar"])
    return signed_in(Role.ORGANIZER)


def test_who_waits_for_a_language_is_chosen_counted_and_let_go(organizer: Browser, world: World) -> None:
    with world.installation.database.write() as session:
        appeal = session.scalars(select(Appeal)).one()
        appeal.translations.append(_translation("ar", "الحب ينتصر", "", "", ""))
    assert "Wait for a language that is not ready" in organizer.get(f"{BLAST}/edit").text
    form = {f"list-{world.list_id}": "in", "default_language": "en"}
    organizer.post(f"{BLAST}/edit", **form, waits="xx")
    assert not world.blast().waits, "a language that the appeal does not have"
    organizer.post(f"{BLAST}/edit", **form, waits="ar")
    assert "2 people who speak العربية wait until العربية is approved." in organizer.get(f"{BLAST}/check").text
    assert "waits until it is approved" in organizer.get(f"{BLAST}/launch").text
    world.launch()
    assert "Held back" in organizer.get(f"{BLAST}/deliveries").text
    page = organizer.get(f"{BLAST}/progress").text
    assert "Until their language is ready:" in page
    assert "Nobody has approved it yet. When somebody does, it goes to them." in page
    assert f'action="{BLAST}/waves/1/release"' not in page
    organizer.post(f"{BLAST}/waves/1/release")
    assert "the blast has moved on meanwhile" in organizer.get(f"{BLAST}/progress").text
    with world.installation.database.write() as session:
        appeal = session.scalars(select(Appeal)).one()
        appeal.translations = [one for one in appeal.translations if one.language != "ar"]
    write_arabic(world)
    assert f'action="{BLAST}/waves/1/release"' in organizer.get(f"{BLAST}/progress").text
    organizer.post(f"{BLAST}/waves/1/release")
    assert "2 people are held no longer." in organizer.get(f"{BLAST}/progress").text
    assert organizer.post(f"{BLAST}/waves/9/fall-back").status_code == 303
    with world.installation.database.read() as session:
        entry = session.scalars(select(AuditEntry).where(AuditEntry.action == "blast.release")).one()
    assert entry.detail == {"wave": 1}


def test_the_rest_goes_when_somebody_says_so_who_may(
    organizer: Browser, signed_in: Callable[..., Browser], world: World
) -> None:
    with world.installation.database.write() as session:
        session.execute(update(Blast).values(departure=Departure(people=3).written))
    world.launch()
    viewer = signed_in(Role.VIEWER)
    assert "Until you say so" in organizer.get(f"{BLAST}/progress").text
    assert viewer.post(f"{BLAST}/waves/1/release").status_code == 403
    assert organizer.post(f"{BLAST}/waves/1/fall-back").status_code == 400
    organizer.post(f"{BLAST}/waves/1/release")
    assert "4 people are held no longer." in organizer.get(f"{BLAST}/progress").text
