"""The page that takes members out: administrators only, with a reason, and it is written down."""

from __future__ import annotations

import csv
from collections.abc import Callable
from io import StringIO

import pytest
from sqlalchemy import select

from mobilizer.installation import Installation
from mobilizer.organizers.audit import AuditEntry
from mobilizer.organizers.policy import Role, may
from tests.web.conftest import Browser
from tests.worlds import World

REASON = "For the printers of the May letter"


@pytest.fixture
def admin(signed_in: Callable[..., Browser]) -> Browser:
    return signed_in(Role.ADMIN)


def written_down(installation: Installation) -> list[AuditEntry]:
    with installation.database.read() as session:
        return list(session.scalars(select(AuditEntry).where(AuditEntry.action == "members.export")))


def test_only_administrators_may() -> None:
    assert [role for role in Role if may(role, "members.export")] == [Role.ADMIN]


def test_a_file_is_taken_with_a_reason(admin: Browser, world: World, installation: Installation) -> None:
    assert "What for" in admin.get("/members/export?language=es").text
    answer = admin.post("/members/export", language="es", list="everyone", reason=REASON)
    assert (answer.status_code, answer.mimetype) == (200, "text/csv")
    assert "attachment" in answer.headers["Content-Disposition"]
    rows = list(csv.reader(StringIO(answer.text.removeprefix("\ufeff"))))
    assert [row[2] for row in rows] == ["language", "es", "es"]
    (entry,) = written_down(installation)
    assert (entry.user_id, entry.detail["reason"], entry.detail["people"]) == (admin.user_id, REASON, 2)


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"reason": ""}, "what the file is for"),
        ({"reason": "for ana@example.org and friends"}, "Write no address here"),
    ],
)
def test_without_them_nothing_is_taken(
    admin: Browser, world: World, installation: Installation, changed: dict[str, str], said: str
) -> None:
    answer = admin.post("/members/export", **{"reason": REASON, **changed})
    assert answer.status_code == 422
    assert said in answer.text
    assert written_down(installation) == []


def test_what_is_not_there_is_not_found(admin: Browser, world: World) -> None:
    for name in ("list", "segment"):
        answer = admin.post("/members/export", **{name: "nothing", "reason": REASON})
        assert answer.status_code == 404
