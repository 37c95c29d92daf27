"""Rules look into indexes: none reads all that was ever sent or done, for one member after the other."""

from __future__ import annotations

import pytest
from sqlalchemy import Select, literal_column, select, text
from sqlalchemy.orm import Session

from mobilizer.audience.members import Member
from mobilizer.db import Database
from mobilizer.segments.rules import RULES, asked_by
from mobilizer.segments.tree import read_rules
from tests.one_database import database_url  # noqa: F401 - SQLite says its plan whatever the tables hold
from tests.segments.population import NOW

ONE = {
    "language": "es", "country": "PT", "zone": "UTC", "list": 1, "blast": 1, "member": 1, "standing": "confirmed",
    "act": "click", "day": "2026-01-31", "days": 3, "share": 10, "draw": 1, "name": "size", "text": "S", "texts": ["S"],
    "number": 1, "people": 10, "tier": "quiet", "tags": [1, 2],
}  # fmt: skip


def plan(session: Session, statement: Select[int]) -> list[str]:
    spelled = statement.compile(session.get_bind(), compile_kwargs={"literal_binds": True})
    return [str(row[3]) for row in session.execute(text(f"EXPLAIN QUERY PLAN {spelled}".replace(":", "\\:")))]


@pytest.mark.parametrize("word", sorted(RULES))
def test_a_rule_finds_what_it_asks_for_by_an_index(database: Database, word: str) -> None:
    rules = read_rules([{"rule": word, **{name: ONE[name] for name in asked_by(word)}}])
    with database.read() as session:
        steps = plan(session, select(literal_column("1", Member.id.type)).select_from(Member).where(rules.where(NOW)))
    read_whole = [step for step in steps if step.startswith(("SCAN deliveries", "SCAN events", "SCAN subscriptions"))]
    assert read_whole == []
    assert not any("members_1" in step and step.startswith("SCAN") for step in steps)
