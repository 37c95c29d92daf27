"""House: which role may enter where, docs/roles.md. `python -m tests.house.roles_table` writes it anew."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from flask import Flask

from mobilizer.app import create_app
from mobilizer.db import Database
from mobilizer.installation import Installation
from mobilizer.keys import Keyring
from mobilizer.organizers.policy import Role, may
from mobilizer.settings import Settings
from mobilizer.web.policy import ANYONE, OPEN_BLUEPRINTS, OPEN_ENDPOINTS

ROLES = Path(__file__).parents[2] / "docs" / "roles.md"
ABOUT = """\
# Roles and routes

Who may enter where. What the policy (`mobilizer/organizers/policy.py`) does not name is refused. “Again” marks
what asks again who one is, where that was longer ago than ten minutes. A translator enters pages of an appeal for the
source text and for their own languages only; a viewer sees sums, in which fewer than five people are never told apart.

This table is made of the application: `.venv/bin/python -m tests.house.roles_table` writes it, a test compares it.
"""
NAMES = {Role.VIEWER: "viewer", Role.TRANSLATOR: "translator", Role.ORGANIZER: "organizer", Role.ADMIN: "admin"}


def an_app() -> Flask:
    """The application with every page it can have; nothing is behind it."""
    settings = Settings(home=Path("/nowhere"), inbox=True)
    here = Installation(settings, Database("sqlite://"), Keyring({1: b"k" * 32}, b"i" * 32))
    return create_app(settings, here, counter="memory://")


def matrix(app: Flask) -> str:
    """The document: a row for each method and path."""
    return "\n".join([ABOUT, *_lines(app), ""])


def _lines(app: Flask) -> Iterator[str]:
    yield f"| | route | {' | '.join(NAMES.values())} | not signed in | again |"
    yield "|---|---|---|---|---|---|---|---|"
    for rule in sorted(app.url_map.iter_rules(), key=lambda rule: rule.rule):
        view = app.view_functions[rule.endpoint]
        is_open = rule.endpoint in OPEN_ENDPOINTS or rule.endpoint.partition(".")[0] in OPEN_BLUEPRINTS
        action = ANYONE if is_open else getattr(view, "action", "")
        everyone = action == ANYONE
        for method in sorted((rule.methods or set()) - {"HEAD", "OPTIONS"}):
            cells = ["yes" if everyone or may(role, action) else "–" for role in NAMES]
            further = ["yes" if everyone else "–", "again" if getattr(view, "proven", False) else ""]
            yield f"| {method} | `{rule.rule}` | {' | '.join([*cells, *further])} |"


if __name__ == "__main__":
    ROLES.write_text(matrix(an_app()), encoding="utf-8")
