"""House: docs/operations.md lists every setting with its default, and none that is gone."""

from __future__ import annotations

import re

from mobilizer.settings import Settings
from tests.house.settings_table import OPERATIONS, PREFIX, documented, rewritten, table

AGAIN = "docs/operations.md is stale; write its table anew: .venv/bin/python -m tests.house.settings_table"


def test_the_table_in_operations_is_the_settings_as_they_are() -> None:
    assert documented(OPERATIONS.read_text(encoding="utf-8")) == table(), AGAIN


def test_every_setting_says_what_it_means() -> None:
    assert [name for name, field in Settings.model_fields.items() if not field.description] == []


def test_no_document_names_a_setting_that_is_gone() -> None:
    known = {f"{PREFIX}{name.upper()}" for name in Settings.model_fields}
    documents = [OPERATIONS, *OPERATIONS.parents[1].glob("*.md"), *OPERATIONS.parent.rglob("*.md")]
    named = {found for path in documents for found in re.findall(rf"{PREFIX}[A-Z_]*[A-Z]", path.read_text("utf-8"))}
    assert named - known == set()


def test_writing_the_table_anew_leaves_the_rest_of_the_document_alone() -> None:
    text = "before\n<!-- settings: begin -->\nstale\n<!-- settings: end -->\nafter\n"
    again = rewritten(text)
    assert again.startswith("before\n")
    assert again.endswith("\nafter\n")
    assert documented(again) == table()
