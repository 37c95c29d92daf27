"""Whatever people type is words: not one of them runs, on any page, in any mail. A column that is new is typed, too."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from sqlalchemy import String, select, update

from mobilizer.audience.members import Identity, Member, seal_identity
from mobilizer.db import Base
from mobilizer.keys import Purpose, Ticket
from mobilizer.organizers.policy import Role
from tests.one_database import database_url  # noqa: F401 - pages do not depend on it
from tests.web.appeal_stage import make_ready
from tests.web.conftest import Browser
from tests.web.test_every_page import AFTER, BEFORE, OTHERS
from tests.worlds import World

SCRIPT = "<script>alert(1)</script>\"'><img src=x onerror=alert(1)>"
# What only programs write and read: a value that is none of theirs is refused where it would come in.
MACHINES = frozenset(
    [
        "agent",
        "approved_hash",
        "browser",
        "button",
        "captions",
        "caught_by",
        "channel",
        "compiled",
        "content_hash",
        "country",
        "default_language",
        "delimiter",
        "encoding",
        "falls_back_to",
        "frozen_tracking",
        "header",
        "how",
        "interface_language",
        "kind",
        "language",
        "languages",
        "link",
        "machine",
        "otherwise",
        "otherwise_by",
        "owner",
        "password_hash",
        "poster",
        "provider",
        "role",
        "source_language",
        "standing",
        "state",
        "stopped_for",
        "template",
        "time_zone",
        "tracking",
        "untracked",
        "variant",
        "via_country",
        "via_language",
        "video",
        "video_language",
        "wording_language",
        "winner",
        "second_language",
        "hold_reason",
        "failure",
    ]
)
UNCHANGED = frozenset(("audit", "audit_head", "alembic_version"))  # the database itself refuses to change an entry


def type_everywhere(world: World) -> set[str]:
    """Put a script into every column that somebody can have typed; returns which."""
    here, typed = world.installation, set[str]()
    with here.database.write() as session:
        for table in Base.metadata.sorted_tables:
            free = [
                column.name
                for column in table.columns
                if isinstance(column.type, String)
                and not (column.unique or column.primary_key or column.foreign_keys)
                and column.name not in MACHINES
            ]
            # The button of an appeal has words, that of a brand a hue.
            free += ["button"] if table.name == "translations" else []
            if free and table.name not in UNCHANGED:
                session.execute(update(table).values(dict.fromkeys(free, SCRIPT)))
                typed |= {f"{table.name}.{name}" for name in free}
        for member in session.scalars(select(Member)):
            identity = Identity(member.identity(here.keyring).email, SCRIPT)
            *_, member.sealed = seal_identity(here.keyring, identity)
            member.attributes = {"city": SCRIPT}
    return typed


@pytest.mark.timeout(300)
def test_no_word_that_was_typed_runs_on_any_page(signed_in: Callable[..., Browser], world: World) -> None:
    make_ready(world)
    admin = signed_in(Role.ADMIN)
    keyring = world.installation.keyring

    def ran(paths: tuple[str, ...]) -> list[str]:
        found = []
        for path in paths:
            answer = admin.get(path)
            assert answer.status_code < 500, path
            if answer.mimetype == "text/html":
                seen.update([path] if "alert(1)" in answer.text else [])
                found += [path] if "<script>alert" in answer.text or "<img src=x" in answer.text else []
                found += [path] if SCRIPT[-20:] in answer.text else []  # out of an attribute
        return found

    seen = set[str]()
    typed = type_everywhere(world)
    assert typed >= {"lists.description", "translations.body", "translations.discreet_subject", "segments.name"}
    bad = ran(BEFORE)
    assert world.launch()
    type_everywhere(world)
    with world.installation.database.read() as session:
        member = session.scalars(select(Member)).first()
        assert member is not None
        ticket, code = Ticket(member.id, world.blast_id), member.share_code
    public = (
        "/w/love-always-wins/en",
        f"/w/love-always-wins/en/{code}",
        f"/v/{keyring.token(Purpose.VIEW, ticket)}",
        f"/u/{keyring.token(Purpose.UNSUBSCRIBE, ticket)}",
        f"/p/{keyring.token(Purpose.PREFERENCES, ticket)}",
    )
    bad += ran((*AFTER, *OTHERS, *public))
    assert bad == []
    assert len(seen) > 40, "too few pages show what was typed: this test has seen nothing"
    assert {"/appeals", "/lists", *public} <= seen
