"""Every page there is has been looked at: by a test that names it, or here. And each is small."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime

import pyotp
import pytest
from flask import Flask
from playwright.sync_api import Page
from sqlalchemy import select, update
from werkzeug.exceptions import HTTPException

from mobilizer.app import create_app
from mobilizer.audience.lists import MemberList
from mobilizer.db import clock
from mobilizer.organizers.factors import begin_factor, new_secret
from mobilizer.organizers.policy import Role
from mobilizer.organizers.sessions import PROVED_SECONDS
from mobilizer.organizers.users import User, UserSession
from mobilizer.settings import Settings
from tests.browser import PASSWORD, faults
from tests.one_database import database_url  # noqa: F401 - pages do not depend on it
from tests.web import test_axe_blasts, test_axe_people, test_axe_segments
from tests.web.appeal_stage import make_ready
from tests.web.conftest import Browser
from tests.worlds import World

BLAST = test_axe_blasts.BLAST
MOST_BYTES = 60 * 1024
# Looked at by no other test.
HERE = (
    "/glossary",
    "/lists/everyone/form",
    f"{BLAST}/results/time",
    f"{BLAST}/results/sharers",
    "/results/compare",
    "/members/leaving",
    "/sums",
    "/sums/love-always-wins",
    "/settings/domain",
    "/settings/second-person",
)
# Looked at by stories/test_trust.
TRUST = ("/settings/sending", "/settings/audit", "/settings/safety", "/settings/safety/factor")
# Where another test has its faults told: it needs more than a world to open them.
THERE = {
    "/blasts/<slug>/leaving": "stories/test_leaving_story",
    "/blasts/<slug>/schedule": "stories/test_leaving_story",
    "/blasts/<slug>/scheduled": "test_axe_blasts",
    "/glossary/<int:number>": "its form is the one of /glossary/new",
    "/imports/<int:number>": "test_axe_people",
    "/imports/<int:number>/check": "test_axe_people",
    "/imports/<int:number>/columns": "test_axe_people",
    "/inbox": "stories/test_browser",
    "/inbox/<int:number>": "stories/test_browser",
    "/invitation/<token>": "stories/test_trust",
    "/settings/notices": "test_notices",
    "/settings/relays": "test_relays_page",
    "/set-up": "stories/test_trust",
    "/sign-in": "test_axe_people",
    "/sign-in/code": "below",
}
# What is no page: files, mails in a frame, and the ways to a page.
NO_PAGES = {
    "/appeals/<slug>",
    "/appeals/<slug>/preview",
    "/appeals/<slug>/preview/<tag>/mail",
    "/appeals/<slug>/words/<tag>/sheet.<name>",
    "/blasts/<slug>",
    "/blasts/<slug>/results.csv",
    "/blasts/<slug>/results/links/<tag>/mail",
    "/blasts/<slug>/results/shares.csv",
    "/brand.css",
    "/imports/<int:number>/problems.csv",
    "/inbox/<int:number>.eml",
    "/inbox/<int:number>/frame",
    "/metrics",
    "/static/<path:filename>",
}
BEFORE = test_axe_blasts.BEFORE
AFTER = (*test_axe_blasts.AFTER, *HERE)
OTHERS = (*TRUST, *test_axe_people.PATHS, *test_axe_segments.PATHS)


def rules(app: Flask, paths: tuple[str, ...]) -> Iterator[str]:
    """The routes of these paths. One that leads nowhere is in none."""
    adapter = app.url_map.bind("here")
    for path in paths:
        try:
            yield adapter.match(path.partition("?")[0], method="GET", return_rule=True)[0].rule
        except HTTPException:
            yield f"{path} leads nowhere"


def test_no_page_of_organizers_was_looked_at_by_nobody(settings: Settings) -> None:
    app = create_app(settings.model_copy(update={"inbox": True, "loopback_only": True}), counter="memory://")
    known = {*rules(app, (*BEFORE, *AFTER, *OTHERS)), *THERE, *NO_PAGES}
    ours = [rule for rule in app.url_map.iter_rules() if not rule.endpoint.startswith("public.")]
    pages = {rule.rule for rule in ours if "GET" in (rule.methods or ())}
    assert pages - known == set(), "put each in a list of paths that axe looks at, in THERE or in NO_PAGES"


def test_every_page_is_small(signed_in: Callable[..., Browser], world: World) -> None:
    make_ready(world)
    admin = signed_in(Role.ADMIN)

    def sizes(paths: tuple[str, ...]) -> dict[str, int]:
        answers = {path: admin.get(path) for path in paths}
        return {path: len(answer.data) for path, answer in answers.items() if answer.status_code == 200}

    found = sizes(BEFORE)
    world.launch()
    found |= sizes((*AFTER, *OTHERS))
    assert len(found) > 60
    assert {path: size for path, size in found.items() if size > MOST_BYTES} == {}


def asked_for_a_code(page: Page, world: World) -> list[str]:
    """Sign in with the password of somebody who has a second factor: what is wrong with the page that asks for it."""
    here, now = world.installation, datetime.now(UTC)
    with here.database.write() as session:
        secret, user = new_secret(), session.scalars(select(User)).one()
        assert begin_factor(session, here.keyring, user, secret, pyotp.TOTP(secret).at(now), now)
    page.goto("/sign-in")
    page.fill("[name=email]", "admin-ar@example.org")
    page.fill("[name=password]", PASSWORD)
    page.click("main button")
    page.wait_for_url("**/sign-in/code*")
    return faults(page)


@pytest.mark.browser
def test_pages_that_nobody_else_looks_at_have_no_fault(visitor: Callable[..., Page], world: World) -> None:
    make_ready(world)
    world.launch()
    with world.installation.database.write() as session:
        session.execute(update(MemberList).values(open=True))
    page, found = visitor(Role.ADMIN, dark=True, phone=True, language="ar"), []
    for path in HERE:
        page.goto(path)
        found += faults(page)
    with world.installation.database.write() as session:
        session.execute(update(UserSession).values(proved_at=clock(-PROVED_SECONDS - 1)))
    page.goto("/settings/second-person")
    page.locator("main form button").click()
    assert page.locator("[type=password]").count() == 1, "who one is is asked again"
    assert page.url.endswith("/settings/second-person")
    found += faults(page)
    assert found + asked_for_a_code(visitor(dark=True, phone=True, language="ar"), world) == []
