"""House: every route, every role and somebody else's object; and the document that says so."""

from __future__ import annotations

from flask import Flask
from werkzeug.routing import Rule

from mobilizer.installation import Installation
from mobilizer.organizers.policy import Role, may
from tests.house.roles_table import ROLES, an_app, matrix
from tests.house.test_routes import UNSAFE, VALUES, app, browsers, path_of, routes  # noqa: F401 - fixtures
from tests.one_database import database_url  # noqa: F401 - who may enter does not depend on it
from tests.web.conftest import FORM_TOKEN, Browser
from tests.worlds import World

# What belongs to whoever asks, or to nobody.
THEIRS = ("settings.own", "overview.see", "sums.see", "inbox.see")


def test_the_table_of_roles_and_routes_is_what_the_application_does() -> None:
    assert ROLES.read_text("utf-8") == matrix(an_app()), "run: .venv/bin/python -m tests.house.roles_table"


def test_a_translator_enters_no_language_but_their_own(
    app: Flask,  # noqa: F811
    browsers: dict[str, Browser],  # noqa: F811
    world: World,
) -> None:
    """Their language is Spanish; Arabic is somebody else's, and the English source is theirs to read, not to write."""
    translator, organizer = browsers[Role.TRANSLATOR], browsers[Role.ORGANIZER]
    assert organizer.post("/appeals/love-always-wins/languages", language="ar").status_code == 303
    found = FORM_TOKEN.search(translator.get("/settings").text)
    assert found
    form, tried, wrong = {"csrf_token": found[1]}, 0, []
    for rule in app.url_map.iter_rules():
        action = getattr(app.view_functions[rule.endpoint], "action", "")
        if "tag" not in rule.arguments or action in THEIRS or not may(Role.TRANSLATOR, action):
            continue
        for method in sorted((rule.methods or set()) - {"HEAD", "OPTIONS"}):
            path, tried = _path(rule, tag="ar"), tried + 1
            answer = translator.client.open(path, method=method, data=form if method in UNSAFE else None, buffered=True)
            if answer.status_code not in (403, 404):
                wrong.append((method, path, answer.status_code))
    assert wrong == []
    assert tried >= 5


def test_no_role_reaches_what_is_another_ones(
    app: Flask,  # noqa: F811
    browsers: dict[str, Browser],  # noqa: F811
    world: World,
    installation: Installation,
) -> None:
    """Numbers and slugs that exist, asked for by each role that has no right to them: refused as if they did not."""
    wrong = []
    for who in (Role.VIEWER, Role.TRANSLATOR):
        found = FORM_TOKEN.search(browsers[who].get("/settings").text)
        assert found
        for method, path, endpoint, action in routes(app):
            if action is None or may(who, action) or action == "anyone":
                continue
            data = {"csrf_token": found[1]} if method in UNSAFE else None
            for number in ("1", "2"):
                mine = path.replace("/1", f"/{number}")
                code = browsers[who].client.open(mine, method=method, data=data, buffered=True).status_code
                if code != 403:
                    wrong.append((who, method, mine, endpoint, code))
    assert wrong == []


def _path(rule: Rule, **values: str) -> str:
    before = dict(VALUES)
    try:
        VALUES.update(values)
        return path_of(rule)
    finally:
        VALUES.update(before)
