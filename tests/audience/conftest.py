"""What the audience's tests share: an installation on each kind of database, a list, and imports in one call."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from mobilizer import tables as tables
from mobilizer.audience import importing
from mobilizer.audience.imports import Import
from mobilizer.audience.listing import create_list
from mobilizer.audience.reporting import ReportRow
from mobilizer.db import Database
from mobilizer.installation import Installation
from mobilizer.keys import Keyring
from mobilizer.settings import Settings

Importer = Callable[..., Import]

CONSENT = {"consent_source": "Petition", "consent_date": "2026-03-08"}


@pytest.fixture
def installation(settings: Settings, database: Database, keyring: Keyring) -> Iterator[Installation]:
    return Installation(settings, database, keyring)


@pytest.fixture
def friends(installation: Installation) -> int:
    """The id of a list called Friends."""
    with installation.database.write() as session:
        return create_list(session, "Friends").id


@pytest.fixture
def bring(installation: Installation, friends: int) -> Importer:
    """Import a text or bytes onto Friends (or another list) and give the finished import."""

    def bring(data: str | bytes, list_id: int = friends, **options: object) -> Import:
        raw = data.encode() if isinstance(data, str) else data
        with installation.database.write() as session:
            row = importing.store(session, installation, list_id=list_id, filename="members.csv", data=raw)
            sheet = importing.look_again(installation, row)
            assert importing.choose(installation.keyring, row, sheet, row.columns, {**CONSENT, **options}) == []
            assert importing.start(session, row) == []
            number = row.id
        importing.run_import(installation, number)
        with installation.database.read() as session:
            row = session.get_one(Import, number)
            session.expunge(row)
            return row

    return bring


def report_of(installation: Installation, row: Import) -> list[ReportRow]:
    """The rows of an import's report."""
    with installation.database.read() as session:
        return list(importing.report(session, installation.keyring, row.id))
