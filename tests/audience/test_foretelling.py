"""What the check says would become of a file is what becomes of it, for any file on any members."""

from __future__ import annotations

import csv
from io import StringIO

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import select, update

from mobilizer.audience import importing, running
from mobilizer.audience.imports import Import
from mobilizer.audience.lists import Standing, Subscription
from mobilizer.audience.suppressing import suppress
from mobilizer.audience.suppressions import SuppressedFor
from mobilizer.installation import Installation
from tests.audience.conftest import CONSENT, Importer

ADDRESSES = [f"p{n}@example.org" for n in range(8)]
SPELT = st.sampled_from(
    [*ADDRESSES, "P1@Example.ORG", "<p2@example.org>", "'p3@example.org'", "p4@example.org.", "n@gamil.com", "",
     "nobody", "a@example.org b@example.org", "email", "gone@example.org", "left@example.org", "p5@example.org\0"]
)  # fmt: skip
ROWS = st.tuples(
    SPELT,
    st.sampled_from(["", "Ana", "Zoë", "x" * 400, "two\nlines"]),
    st.sampled_from(["", "es", "Español", "klingon"]),
    st.sampled_from(["", "", "subscribed", "unsubscribed", "who knows"]),
    st.sampled_from([(), (), (), ("one too many",)]),
)
FILES = st.lists(ROWS, min_size=1, max_size=30)


def test_what_is_foretold_is_what_comes(
    installation: Installation, friends: int, bring: Importer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(running, "CHUNK", 5)
    bring("email\nleft@example.org\n")
    with installation.database.write() as session:
        session.execute(update(Subscription).values(standing=Standing.UNSUBSCRIBED))
        suppress(session, installation.keyring.address_key("gone@example.org"), SuppressedFor.ERASED)

    @settings(max_examples=25)
    @given(FILES, st.sampled_from(["keep", "fill", "replace"]))
    def foretell_and_run(lines: list[tuple[str, str, str, str, tuple[str, ...]]], known: str) -> None:
        out = StringIO()
        csv.writer(out).writerows([["email", "name", "language", "subscribed"]])
        csv.writer(out).writerows([(*line[:4], *line[4]) for line in lines])
        with installation.database.write() as session:
            data = out.getvalue().encode()
            row = importing.store(session, installation, list_id=friends, filename="f.csv", data=data)
            row.options = {**row.options, **CONSENT, "known": known}
            told = importing.rehearse(session, installation, row)
            assert importing.start(session, row) == []
            number = row.id
        importing.run_import(installation, number)
        with installation.database.read() as session:
            row = session.get_one(Import, number)
            assert (row.state, row.counts) == ("done", told.counts)
            assert sum(row.counts.values()) == row.rows == row.rows_read

    foretell_and_run()
    with installation.database.read() as session:
        first = session.scalars(select(Subscription).order_by(Subscription.member_id)).first()
    assert first is not None
    assert first.standing == Standing.UNSUBSCRIBED, "nobody who had left was brought back"
