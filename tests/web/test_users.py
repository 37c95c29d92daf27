"""Inviting people: the link, the mail, and how somebody comes in by it once."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from flask import Flask
from sqlalchemy import select, update

from mobilizer.app import create_app
from mobilizer.db import clock
from mobilizer.installation import Installation
from mobilizer.organizers.audit import AuditEntry
from mobilizer.organizers.invitations import Invitation, forget_late
from mobilizer.organizers.policy import Role
from mobilizer.organizers.users import User
from tests.one_database import database_url  # noqa: F401 - the pages do not depend on it
from tests.transport.scripted_relay import ScriptedRelay
from tests.web.conftest import Browser

PASSWORD = "a short sentence is good"
FORM = {
    "email": "Teresa@Example.org",
    "name": "Teresa",
    "role": "translator",
    "languages": "es ar",
    "interface_language": "es",
}


@pytest.fixture
def admin(signed_in: Callable[..., Browser]) -> Browser:
    return signed_in(Role.ADMIN)


def invite(admin: Browser, **changes: str) -> str:
    """Invite Teresa; the path of her link."""
    page = admin.post("/settings/users", **{**FORM, **changes})
    assert page.status_code == 200
    found = re.search(r'value="http://mobilizer.test(/invitation/[^"]+)"', page.text)
    assert found
    return found[1]


def come_in(app: Flask, path: str, password: str = PASSWORD) -> tuple[int, Browser]:
    browser = Browser(app.test_client())
    return browser.post(path, name="Teresa Tradutora", password=password).status_code, browser


def test_a_link_lets_one_person_in_once_in_their_language_and_role(
    app: Flask, admin: Browser, installation: Installation
) -> None:
    path = invite(admin)
    page = app.test_client().get(path)
    assert '<html lang="es"' in page.text
    assert "teresa@example.org" in page.text
    assert "Teresa" in admin.get("/settings/users").text
    assert come_in(app, path, "short")[0] == 422
    code, browser = come_in(app, path)
    assert code == 303
    assert '<html lang="es"' in browser.get("/").text
    assert browser.get("/members").status_code == 403
    assert browser.get("/appeals").status_code == 200
    assert come_in(app, path)[0] == app.test_client().get(path).status_code == 404
    with installation.database.read() as session:
        entries = session.scalars(select(AuditEntry).where(AuditEntry.action.like("invitation.%"))).all()
        assert [(entry.action, entry.detail["role"]) for entry in entries] == [
            ("invitation.send", "translator"),
            ("invitation.accept", "translator"),
        ]
        assert session.scalars(select(Invitation)).all() == []


def test_every_link_that_is_not_good_gets_the_same_answer(
    app: Flask, admin: Browser, installation: Installation
) -> None:
    def answer(path: str) -> tuple[int, str]:
        got = app.test_client().get(path)
        return got.status_code, re.sub(r'value="[^"]+"|[0-9a-f]{16}', "", got.text).replace(path, "")

    unknown = answer("/invitation/" + "x" * 43)
    assert unknown[0] == 404
    replaced = invite(admin)
    revoked = invite(admin)
    assert answer(replaced) == unknown
    with installation.database.read() as session:
        number = session.scalars(select(Invitation.id)).one()
    assert admin.post(f"/settings/invitations/{number}/revoke").status_code == 303
    assert answer(revoked) == unknown
    assert admin.post(f"/settings/invitations/{number}/revoke").status_code == 404
    late = invite(admin)
    assert answer(late)[0] == 200
    for taken in ({"disabled_at": clock()}, {"role": Role.ORGANIZER}):
        with installation.database.write() as session:
            session.execute(update(User).values(**taken))
        assert answer(late) == unknown, "whoever sent it may let nobody in any more"
        with installation.database.write() as session:
            session.execute(update(User).values(disabled_at=None, role=Role.ADMIN))
    with installation.database.write() as session:
        session.execute(update(Invitation).values(expires_at=clock(-1)))
    assert answer(late) == unknown
    assert come_in(app, late)[0] == 404
    with installation.database.write() as session:
        assert forget_late(session) == 1


def test_what_is_wrong_with_an_invitation_is_said(admin: Browser) -> None:
    for changes, said in (
        ({"email": "admin@example.org"}, "already here"),
        ({"email": "nobody"}, "not an e-mail address"),
        ({"languages": ""}, "at least one language"),
        ({"languages": "klingon!"}, "not a language code"),
    ):
        answer = admin.post("/settings/users", **{**FORM, **changes})
        assert answer.status_code == 422
        assert said in answer.text
    assert admin.post("/settings/users", **{**FORM, "role": "emperor"}).status_code == 400


def test_the_mail_goes_in_their_language_and_the_table_lets_nobody_in(
    installation: Installation, signed_in: Callable[..., Browser]
) -> None:
    with ScriptedRelay() as relay:
        settings = installation.settings.model_copy(update={"smtp_port": relay.port})
        here = Installation(settings, installation.database, installation.keyring)
        user = signed_in(Role.ADMIN)
        with user.client.session_transaction() as kept:
            token = kept["token"]
        browser = Browser(create_app(settings, here, counter="memory://").test_client(), user.user_id)
        with browser.client.session_transaction() as kept:
            kept["token"] = token
        path = invite(browser)
    [mail] = relay.messages
    assert b"Content-Language: es" in mail
    assert path.encode() in mail.replace(b"=\r\n", b"")
    with installation.database.read() as session:
        row = session.scalars(select(Invitation)).one()
        assert path.encode()[-43:] not in row.token_hash + row.sealed
        assert b"teresa" not in row.sealed


def test_a_page_speaks_the_language_of_who_looks_whoever_looked_first(admin: Browser) -> None:
    """Jinja works out a filter of words it knows when it compiles the template, unless told not to."""
    assert "Administrator" in admin.get("/settings/users").text
    assert admin.post("/language", language="ar").status_code == 303
    page = admin.get("/settings/users").text
    assert "مسؤول" in page
    assert "Administrator" not in page
