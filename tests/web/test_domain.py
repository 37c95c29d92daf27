"""The pages of the sender's domain and of the second person: what is known, what to copy, and who may say so."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from flask import Flask
from sqlalchemy import select

from mobilizer import jobs
from mobilizer.delivery.sender_domain import look
from mobilizer.http import EXTENSION
from mobilizer.installation import Installation
from mobilizer.organizers.audit import AuditEntry
from mobilizer.organizers.policy import Role
from mobilizer.settings import Settings, kept_settings
from tests.one_database import database_url  # noqa: F401 - the pages do not depend on it
from tests.web.conftest import Browser


@pytest.fixture
def settings(settings: Settings, redis_url: str) -> Settings:
    told = {"sender_address": "us@act.church", "smtp_host": "relay.church", "redis_url": redis_url}
    return settings.model_copy(update=told)


def test_what_to_publish_can_be_copied_and_what_is_there_is_judged(
    app: Flask, signed_in: Callable[..., Browser], installation: Installation
) -> None:
    browser = signed_in(Role.ORGANIZER)
    page = browser.get("/settings/domain").text
    assert "Not looked up yet" in page
    assert 'value="v=spf1 a:relay.church ~all"' in page
    assert 'value="_dmarc.act.church"' in page
    assert browser.post("/settings/domain").status_code == 303
    assert jobs.job_id(jobs.Work.DOMAIN, 0) in jobs.queued(installation.settings)
    look(installation, ask=lambda name: ["v=spf1 mx -all"] if name == "act.church" else [])
    page = browser.get("/settings/domain").text
    assert page.index("says who may send for it (SPF).") < page.index("Worth a look")
    assert 'value="v=spf1 a:relay.church ~all"' not in page, "what is in order needs no copying"
    assert 'value="v=DMARC1; p=none"' in page


def test_an_administrator_asks_for_a_second_person_and_it_is_written_down(
    app: Flask, signed_in: Callable[..., Browser], installation: Installation
) -> None:
    assert signed_in(Role.ORGANIZER).get("/settings/second-person").status_code == 403
    browser = signed_in(Role.ADMIN)
    assert "Every launch needs a second person" in browser.get("/settings/second-person").text
    for needed in (True, False):
        assert browser.post("/settings/second-person", **({"needed": "1"} if needed else {})).status_code == 303
        assert app.extensions[EXTENSION].settings.launch_by_two is needed
        assert kept_settings(installation.settings, ["launch_by_two"]).launch_by_two is needed
    with installation.database.read() as session:
        entries = session.scalars(select(AuditEntry).order_by(AuditEntry.id)).all()
    assert [entry.detail for entry in entries if entry.action == "second_person.change"] == [
        {"needed": True},
        {"needed": False},
    ]
