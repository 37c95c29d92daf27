"""A file goes through the wizard's forms, and its worker is killed: nobody is lost, nobody is there twice."""

from __future__ import annotations

import pytest

from bench.wizard import wizard


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_an_import_whose_worker_is_killed_is_finished_by_another(kind: str, request: pytest.FixtureRequest) -> None:
    database = "" if kind == "sqlite" else str(request.getfixturevalue("postgresql"))
    figures = wizard(40_000, database)
    assert figures.wrong == []
    assert 0 < figures.killed_at < 40_000
    assert (figures.members, figures.on_list, figures.reported) == (40_000, 40_000, 800)
