"""Two subjects before a real browser: written, tried on a part, the better one sent to the others, told afterwards."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect
from sqlalchemy import select, update

from mobilizer.db import clock
from mobilizer.delivery import launch
from mobilizer.delivery.ledger import Batch, Delivery, DeliveryState
from mobilizer.delivery.waves import Wave
from mobilizer.engagement import winners
from mobilizer.engagement.events import Event
from mobilizer.organizers.policy import Role
from tests.browser import faults
from tests.one_database import database_url  # noqa: F401
from tests.web.appeal_stage import make_ready, settle
from tests.worlds import World

pytestmark = pytest.mark.browser

APPEAL, BLAST = "/appeals/love-always-wins", "/blasts/love-always-wins"
Visit = Callable[..., Page]


def looked_at(page: Page, name: str) -> list[object]:
    """What axe finds here; a picture for who wants to look."""
    if folder := os.environ.get("PICTURES"):
        page.screenshot(path=Path(folder) / f"{name}.png", full_page=True)
    return faults(page)


def at_once(world: World) -> dict[str, list[int]]:
    """The members who got English at once, by variant; all their mails are accepted."""
    asked = select(Delivery.member_id, Batch.variant).join(Batch, Batch.id == Delivery.batch_id)
    found: dict[str, list[int]] = {}
    with world.installation.database.read() as session:
        for member, variant in session.execute(asked.where(Batch.language == "en", Batch.wave == 0)):
            found.setdefault(variant, []).append(member)
    for member in [member for members in found.values() for member in members]:
        settle(world, member, DeliveryState.ACCEPTED)
    return found


def test_variants_are_written_tried_and_the_best_one_goes_to_the_others(visitor: Visit, world: World) -> None:
    world.join(["en"] * 48 + ["es"] * 12)
    make_ready(world)
    page = visitor(Role.ORGANIZER)
    page.goto(f"{APPEAL}/words/en")
    page.get_by_text("Variants: other subjects and openings to try").click()
    page.get_by_label("Subject of variant B").fill("Two minutes, {{ first_name }}")
    found = looked_at(page, "writing")
    page.get_by_role("button", name="Save", exact=True).click()
    page.goto(f"{APPEAL}/preview/en?view=inbox")
    page.get_by_role("navigation", name="Variant").get_by_role("link", name="B").click()
    expect(page.get_by_text("Two minutes, ").first).to_be_visible()
    found += looked_at(page, "preview")
    page.goto(f"{BLAST}/launch")
    page.get_by_text("Try the variants first …").click()
    found += looked_at(page, "launch")
    page.get_by_label("People for each variant").fill("10")
    page.get_by_label("Choose after hours").fill("24")
    page.get_by_label("Type 65").first.fill("65")
    page.get_by_role("button", name="Launch").click()
    launch.freeze(world.installation, world.blast_id)
    drawn = at_once(world)
    with world.installation.database.write() as session:
        clickers = [*drawn["b"][:9], *drawn["a"][:1]]
        session.add_all(Event(kind="click", blast_id=world.blast_id, member_id=one) for one in clickers)
    page.goto(f"{BLAST}/progress")
    expect(page.get_by_text("B does better than the others by more than chance.")).to_be_visible()
    found += looked_at(page, "progress")
    arabic = visitor(Role.ORGANIZER, phone=True, dark=True, language="ar")
    arabic.goto(f"{BLAST}/progress")
    found += looked_at(arabic, "progress-ar")
    with world.installation.database.write() as session:
        session.execute(update(Wave).values(opens_at=clock(-1)))
    with world.installation.database.write() as session:
        winners.choose_due(session)
    page.goto(f"{BLAST}/results")
    expect(page.get_by_text("It did better than the others by more than chance.")).to_be_visible()
    found += looked_at(page, "results")
    arabic.goto(f"{BLAST}/results")
    found += looked_at(arabic, "results-ar")
    assert found == []
