"""How a blast spread: for all and for each language, country and channel; as a page, as a picture and as a file."""

from __future__ import annotations

import csv
import os
from collections.abc import Callable
from io import StringIO
from pathlib import Path

import pytest
from playwright.sync_api import Page
from sqlalchemy import update

from mobilizer.audience.members import Member
from mobilizer.delivery.ledger import DeliveryState
from mobilizer.engagement.events import Event, EventKind
from mobilizer.engagement.recruits import recruited
from mobilizer.organizers.policy import Role
from tests.browser import faults
from tests.one_database import database_url  # noqa: F401
from tests.web.appeal_stage import make_ready, settle
from tests.web.conftest import Browser
from tests.worlds import World

RESULTS = "/blasts/love-always-wins/results"
SignIn = Callable[..., Browser]


@pytest.fixture
def spread(world: World) -> World:
    """Two have the mail, who speak English and Spanish. One joined through the first of them by WhatsApp, one more
    through that one, by a copied link."""
    make_ready(world)
    world.launch()
    first, second, joined, after, _nobody = world.members
    for one in (first, second):
        settle(world, one, DeliveryState.ACCEPTED)
    with world.installation.database.write() as session:
        session.execute(update(Member).values(language="es", country="MX"))
        session.execute(update(Member).where(Member.id == first).values(language="en", country="IE"))
        recruited(session, joined, first, world.blast_id, "whatsapp")
        recruited(session, after, joined, world.blast_id, "copy")
        for via, step, kind, channel in (
            (first, 1, EventKind.VISIT, "whatsapp"),
            (first, 1, EventKind.VISIT, "sms"),
            (first, 1, EventKind.WATCH, "start"),
            (joined, 2, EventKind.VISIT, "copy"),
        ):
            session.add(Event(kind=kind, blast_id=world.blast_id, via_id=via, step=step, channel=channel))
    return world


def steps(signed_in: SignIn, by: str, key: str) -> list[list[str]]:
    """The lines of a branch in the file: step, sharers, visits, watches, joined, K."""
    rows = csv.DictReader(StringIO(signed_in(Role.ORGANIZER).get(f"{RESULTS}/shares.csv").text))
    fields = ("step", "sharers", "visits", "watches", "joined", "k")
    return [[row[name] for name in fields] for row in rows if (row["by"], row["key"]) == (by, key)]


@pytest.mark.parametrize(
    ("by", "key", "told"),
    [
        ("", "*", [["1", "2", "2", "1", "1", "0.5"], ["2", "1", "1", "0", "1", "1.0"], ["*", "2", "", "", "2", "1.0"]]),
        ("language", "en", [["1", "1", "2", "1", "1", "1.0"], ["*", "1", "", "", "1", "1.0"]]),
        (
            *("language", "es"),
            [["1", "1", "0", "0", "0", "0.0"], ["2", "1", "1", "0", "1", "1.0"], ["*", "1", "", "", "1", "1.0"]],
        ),
        ("country", "IE", [["1", "1", "2", "1", "1", "1.0"], ["*", "1", "", "", "1", "1.0"]]),
        # Anybody may share anywhere: what channels brought adds up to the whole.
        ("channel", "whatsapp", [["1", "2", "1", "", "1", "0.5"], ["*", "2", "", "", "1", "0.5"]]),
        (
            *("channel", "copy"),
            [["1", "2", "0", "", "0", "0.0"], ["2", "1", "1", "", "1", "1.0"], ["*", "2", "", "", "1", "0.5"]],
        ),
        ("channel", "sms", [["1", "2", "1", "", "0", "0.0"]]),
    ],
)
def test_the_file_has_the_steps_of_each_branch(
    signed_in: SignIn, spread: World, by: str, key: str, told: list[list[str]]
) -> None:
    assert steps(signed_in, by, key) == told


def test_the_page_tells_k_and_the_steps_of_the_branch_that_is_asked_for(signed_in: SignIn, spread: World) -> None:
    organizer = signed_in(Role.ORGANIZER)
    page = organizer.get(f"{RESULTS}/shares").text
    assert "K is 1: so many new members" in page
    assert page.count("<circle") == 3 + 1, "the mail and two steps, and at the first more visits than joined"
    assert '<optgroup label="Where it was shared"><option value="channel:copy">Copied link</option>' in page
    assert f'href="{RESULTS}/shares?of=channel:whatsapp#steps">WhatsApp</a>' in page
    part = organizer.get(f"{RESULTS}/shares?of=channel:whatsapp").text
    assert '<option value="channel:whatsapp" selected>' in part
    assert '<tfoot><tr class="middle"><th scope="row">WhatsApp</th>' in part
    assert "Viewings" not in part, "a viewing does not tell its channel"
    for asked in ("channel:fax", "language:", "month:5", "", "country:'"):
        assert '<th scope="row">Together</th>' in organizer.get(f"{RESULTS}/shares", query_string={"of": asked}).text


@pytest.mark.browser
@pytest.mark.parametrize(("phone", "dark", "language"), [(False, False, "en"), (True, True, "ar")])
def test_nobody_is_kept_from_the_picture(
    visitor: Callable[..., Page], spread: World, phone: bool, dark: bool, language: str
) -> None:
    page = visitor(Role.ORGANIZER, phone=phone, dark=dark, language=language)
    found = []
    for path in ("shares", "shares?of=language:es", "report"):
        page.goto(f"{RESULTS}/{path}")
        if shots := os.environ.get("SHOTS", ""):
            page.screenshot(path=Path(shots) / f"{language}-{path.replace('?', '-')}.png", full_page=True)
        found += faults(page)
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), path
    assert found == []
