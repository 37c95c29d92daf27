"""Every route and every role: who may enter, that forms carry their token, that a GET changes nothing."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from flask import Flask
from sqlalchemy import event
from werkzeug.routing import Rule

from mobilizer.app import CONTENT_POLICY, create_app
from mobilizer.installation import Installation
from mobilizer.organizers.policy import POLICY, Role, may
from mobilizer.organizers.sessions import begin_session
from mobilizer.web.policy import ANYONE, OPEN_BLUEPRINTS, OPEN_ENDPOINTS
from tests.one_app import app_of
from tests.one_database import database_url  # noqa: F401 - who may enter does not depend on it
from tests.web.conftest import Browser, make_user
from tests.worlds import World

UNSAFE = {"POST", "PUT", "PATCH", "DELETE"}
VALUES = {
    "slug": "love-always-wins",
    "tag": "es",
    "number": "1",
    "other": "2",
    "token": "x" * 50,
    "n": "1",
    "code": "abcdefghjk",
    "name": "nothing.png",
    "filename": "app.css",
}


@pytest.fixture
def app(installation: Installation, world: World) -> Flask:
    settings = installation.settings.model_copy(update={"inbox": True, "loopback_only": True})
    here = Installation(settings, installation.database, installation.keyring)
    # Routes of all kinds are asked with one slug.
    world.make_list(VALUES["slug"])
    return app_of(here)


@pytest.fixture
def browsers(app: Flask, installation: Installation) -> dict[str, Browser]:
    made = {"anonymous": Browser(app.test_client())}
    for role in Role:
        user_id = make_user(installation, role, languages="es")
        with installation.database.write() as session:
            token = begin_session(session, user_id, 1)
        made[role] = Browser(app.test_client(), user_id)
        with made[role].client.session_transaction() as kept:
            kept["token"] = token
    return made


def routes(app: Flask) -> Iterator[tuple[str, str, str, str | None]]:
    """(method, path, endpoint, action) of every route there is."""
    for rule in app.url_map.iter_rules():
        action = getattr(app.view_functions[rule.endpoint], "action", None)
        for method in sorted((rule.methods or set()) - {"HEAD", "OPTIONS"}):
            yield method, path_of(rule), rule.endpoint, action


def path_of(rule: Rule) -> str:
    return re.sub(r"<(?:[^:<>]+:)?(\w+)>", lambda match: VALUES[match[1]], rule.rule)


def is_open(endpoint: str) -> bool:
    return endpoint in OPEN_ENDPOINTS or endpoint.partition(".")[0] in OPEN_BLUEPRINTS


def test_every_view_of_the_organizers_names_its_action(app: Flask) -> None:
    nameless = [endpoint for _, _, endpoint, action in routes(app) if action is None and not is_open(endpoint)]
    unknown = [(endpoint, action) for _, _, endpoint, action in routes(app) if action not in {*POLICY, ANYONE, None}]
    assert nameless == []
    assert unknown == []


def test_every_line_of_the_policy_guards_something(app: Flask) -> None:
    used = {action for _, _, _, action in routes(app)}
    # The page of the inbox is a demo's, on this machine only, and open there.
    assert set(POLICY) - used - {"inbox.see"} == set()


def test_a_view_that_names_no_action_is_refused(installation: Installation) -> None:
    app = create_app(installation.settings, installation, counter="memory://")
    app.add_url_rule("/forgotten", "lists.forgotten", lambda: "in the open")
    assert app.test_client().get("/forgotten").status_code == 403


def test_each_role_enters_where_the_policy_lets_it_and_nowhere_else(app: Flask, browsers: dict[str, Browser]) -> None:
    wrong = []
    for method, path, endpoint, action in routes(app):
        if action in (None, ANYONE):
            continue
        for who, browser in browsers.items():
            answer = browser.client.open(path, method=method, buffered=True)
            if who == "anonymous":
                fine = answer.status_code == 303 and answer.location.startswith("/sign-in")
            elif may(who, action):
                fine = answer.status_code in ({400} if method in UNSAFE else {200, 303, 302, 404, 409})
            else:
                fine = answer.status_code == 403
            if not fine:
                wrong.append((who, method, path, endpoint, answer.status_code))
    assert wrong == []


def test_every_form_of_the_organizers_needs_its_token(app: Flask, browsers: dict[str, Browser]) -> None:
    for method, path, endpoint, _ in routes(app):
        if method in UNSAFE and not is_open(endpoint):
            answer = browsers[Role.ADMIN].client.open(path, method=method, data={"csrf_token": "guessed"})
            assert answer.status_code == 400, (method, path)


def test_only_the_members_pages_take_a_form_without_a_token(app: Flask) -> None:
    csrf = app.extensions["csrf"]
    assert {blueprint.name for blueprint in csrf._exempt_blueprints} == {"public"}
    assert csrf._exempt_views == set()


def test_a_get_changes_nothing(app: Flask, browsers: dict[str, Browser], installation: Installation) -> None:
    written: list[str] = []

    def watch(*args: object) -> None:
        statement = str(args[2])
        if re.match(r"\s*(INSERT|UPDATE|DELETE|CREATE|DROP|ALTER)", statement, re.IGNORECASE):
            written.append(statement)

    event.listen(installation.database.engine, "before_cursor_execute", watch)
    for method, path, endpoint, _ in routes(app):
        if method == "GET" and not endpoint.startswith("public."):
            answer = browsers[Role.ADMIN].get(path, buffered=True)
            assert answer.status_code < 500, path
            assert written == [], path


def test_every_answer_carries_the_headers_that_protect_it(app: Flask, browsers: dict[str, Browser]) -> None:
    for method, path, endpoint, _ in routes(app):
        for who in ("anonymous", Role.ADMIN):
            headers = browsers[who].client.open(path, method=method, buffered=True).headers
            assert headers["X-Content-Type-Options"] == "nosniff", path
            assert "Referrer-Policy" in headers, path
            assert "Permissions-Policy" in headers, path
            # What is answered ahead of the application is not logged, and so has no number.
            assert endpoint == "public.share" or len(headers["X-Request-Id"]) == 16, path
            policy = headers["Content-Security-Policy"]
            assert "unsafe-eval" not in policy, path
            assert "default-src 'none'" in policy, path
            if is_open(endpoint):
                continue
            assert policy == CONTENT_POLICY or "sandbox" in policy, path
            if endpoint != "overview.brand":
                assert headers["Cache-Control"] == "no-store", path


def test_no_page_has_a_style_or_a_script_of_its_own(app: Flask, browsers: dict[str, Browser]) -> None:
    """What the policy would block must not be there: the page would look broken."""
    for method, path, endpoint, _ in routes(app):
        answer = browsers[Role.ADMIN].client.open(path, method=method, buffered=True)
        policy = answer.headers["Content-Security-Policy"]
        if answer.mimetype != "text/html" or "unsafe-inline" in policy or endpoint == "inbox.frame":
            continue
        assert not re.search(r"<style|\sstyle=|\son\w+=|<script(?![^>]*\ssrc=)", answer.text), path
        loaded = re.findall(r"""(?:\ssrc|<link[^>]*\shref)="([^"]*)""", answer.text)
        assert [
            address for address in loaded if not re.match(r"/(?!/)|data:|http://mobilizer\.test/", address)
        ] == [], path


def test_nothing_in_a_query_or_a_path_reaches_the_log(app: Flask, capsys: pytest.CaptureFixture[str]) -> None:
    app.test_client().get("/members/secret-in-path?email=ana@example.org", headers={"X-Forwarded-For": "10.9.8.7"})
    app.test_client().get("/u/" + "t" * 47)
    said = "".join(capsys.readouterr())
    for secret in ("ana@example.org", "secret-in-path", "tttt", "10.9.8.7", "127.0.0.1"):
        assert secret not in said
