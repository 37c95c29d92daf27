"""For tests that have no part in the kind of database: import `database_url` and each runs once, on SQLite."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest


@pytest.fixture
def database_url(tmp_path: Path, sqlite_template: Path) -> str:
    """The address of a fresh, migrated SQLite file."""
    path = tmp_path / "mobilizer.sqlite3"
    shutil.copy(sqlite_template, path)
    return f"sqlite:///{path}"
