"""What the tests of the organizer's pages share: the application, and browsers that are signed in."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from mobilizer.installation import Installation
from mobilizer.organizers.policy import Role
from mobilizer.organizers.sessions import begin_session
from mobilizer.organizers.users import User
from tests.one_app import app_of

FORM_TOKEN = re.compile(r'name="csrf_token" value="([^"]+)"')


@dataclass
class Browser:
    """A browser of someone who is signed in, or of nobody: `get` a page, `post` a form with its token."""

    client: FlaskClient
    user_id: int = 0

    def get(self, path: str, **options: Any) -> TestResponse:
        return self.client.get(path, **options)

    def post(self, path: str, **fields: Any) -> TestResponse:
        page = self.client.get("/settings" if self.user_id else "/sign-in").text
        found = FORM_TOKEN.search(page)
        assert found, "every page has a form with its token"
        return self.client.post(path, data={"csrf_token": found[1], **fields})


def make_user(installation: Installation, role: Role, email: str = "", **values: Any) -> int:
    """A user who can't sign in by password: quicker than hashing one."""
    email = email or f"{role}@example.org"
    key = installation.keyring.address_key(email)
    with installation.database.write() as session:
        user = User(
            address_key=key,
            sealed=installation.keyring.seal(f"{email}\0{role.title()} Person", bound_to=key),
            password_hash="none",
            role=role,
            **values,
        )
        session.add(user)
        session.flush()
        return user.id


@pytest.fixture
def app(installation: Installation) -> Flask:
    return app_of(installation)


@pytest.fixture
def anonymous(app: Flask) -> Browser:
    return Browser(app.test_client())


@pytest.fixture
def signed_in(app: Flask, installation: Installation) -> Callable[..., Browser]:
    """Make a user of a role and a browser that is signed in as them."""

    def make(role: Role = Role.ORGANIZER, **values: Any) -> Browser:
        user_id = make_user(installation, role, **values)
        with installation.database.write() as session:
            token = begin_session(session, user_id, 1)
        browser = Browser(app.test_client(), user_id)
        with browser.client.session_transaction() as kept:
            kept["token"] = token
        return browser

    return make


@pytest.fixture
def organizer(signed_in: Callable[..., Browser]) -> Browser:
    return signed_in(Role.ORGANIZER)
