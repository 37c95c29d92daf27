"""The page of the audit log."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator

from mobilizer.installation import Installation
from mobilizer.organizers.audit import record
from mobilizer.organizers.policy import Role
from mobilizer.web.acts import ACTS, KINDS
from mobilizer.web.audit import PAGE
from mobilizer.web.labels import CHANGES
from tests.house.reading import modules, tree
from tests.one_database import database_url  # noqa: F401 - the page does not depend on it
from tests.web.conftest import Browser


def acts() -> Iterator[str]:
    """Every act that the sources write down by its name."""
    for path in modules():
        for node in ast.walk(tree(path)):
            if isinstance(node, ast.Call) and getattr(node.func, "id", getattr(node.func, "attr", "")) == "record":
                named = [one for one in node.args[2:3] if isinstance(one, ast.Constant) and isinstance(one.value, str)]
                yield from (str(one.value) for one in named)


def test_every_act_has_its_words() -> None:
    known, told = {*ACTS, *CHANGES}, set(acts())
    assert len(told) > 40
    assert told - known == set()
    assert {word for word in KINDS if not any(act.startswith(f"{word}.") for act in known)} == set()


def test_the_log_is_read_by_kind_by_person_and_page_by_page(
    signed_in: Callable[..., Browser], installation: Installation
) -> None:
    admin, other = signed_in(Role.ADMIN), signed_in(Role.ORGANIZER)
    with installation.database.write() as session:
        record(session, admin.user_id, "members.export", "members", reason="For the printers", people=3)
        record(session, None, "keys.rotate", "key:2")
        for number in range(PAGE):
            record(session, other.user_id, "blast.launch", f"blast:{number}")
    first = admin.get("/settings/audit").text
    assert first.count("Blast launched") == PAGE
    assert "Members taken out as a file" not in first
    last = admin.get("/settings/audit?before=3").text
    assert "For the printers" in last
    assert "The software, or the command line" in last
    assert "Admin Person" in last
    assert "Blast launched" not in admin.get("/settings/audit?kind=members").text
    assert "Members taken out as a file" not in admin.get(f"/settings/audit?who={other.user_id}").text
    assert "Nothing is written down here" in admin.get("/settings/audit?kind=import").text
    assert admin.get("/settings/audit?kind=%25&who=x&before=-1").status_code in (200, 404)
    assert other.get("/settings/audit").status_code == 403
