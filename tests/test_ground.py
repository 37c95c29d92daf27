"""The ground: seals, tokens, languages, the database's clock and its migrations."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import psycopg
import pytest
from babel import Locale
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import event, inspect, select

from mobilizer.db import Database, UnsafeDurability, check_durability, clock
from mobilizer.keys import BadSeal, Keyring, Purpose, Ticket, load_keyring
from mobilizer.languages import (
    MEMBER_LANGUAGES,
    CaughtBy,
    Choice,
    UnknownLanguage,
    canonical,
    choose,
    language,
    measured,
    parents,
)
from mobilizer.migrations import is_current
from mobilizer.tables import metadata

NUMBERS = st.integers(min_value=0, max_value=2**32 - 1)
KEYRING = Keyring({1: b"a" * 32, 2: b"b" * 32}, b"i" * 32)


@given(st.text(), st.binary())
def test_what_is_sealed_opens_again(plain: str, row: bytes) -> None:
    assert KEYRING.open(KEYRING.seal(plain, row), row) == plain


def test_a_sealed_value_moved_to_another_row_does_not_open() -> None:
    with pytest.raises(BadSeal):
        KEYRING.open(KEYRING.seal("ana@example.org", b"row 1"), b"row 2")


def test_older_keys_still_open_and_verify() -> None:
    old = Keyring({1: b"a" * 32}, b"i" * 32)
    assert KEYRING.open(old.seal("x", b""), b"") == "x"
    assert KEYRING.read_token(Purpose.CLICK, old.token(Purpose.CLICK, Ticket(3, 4))) == Ticket(3, 4)
    assert KEYRING.address_key("a@b.c") == old.address_key("a@b.c")


@given(NUMBERS, NUMBERS, st.sampled_from(Purpose), st.sampled_from(Purpose))
def test_a_token_serves_its_purpose_only(member: int, blast: int, made: Purpose, used: Purpose) -> None:
    token = KEYRING.token(made, Ticket(member, blast))
    assert len(token) <= 60
    assert KEYRING.read_token(used, token) == (Ticket(member, blast) if made == used else None)


@given(st.integers(0, 46), st.sampled_from("abcdefghijklmnopqrstuvwxyz234567"))
def test_a_token_with_one_letter_changed_is_nothing(at: int, letter: str) -> None:
    token = KEYRING.token(Purpose.CLICK, Ticket(12, 7))
    forged = token[:at] + letter + token[at + 1 :]
    assert forged == token or KEYRING.read_token(Purpose.CLICK, forged) is None


@given(st.text())
def test_any_text_at_all_can_be_offered_as_a_token(text: str) -> None:
    assert KEYRING.read_token(Purpose.OPEN, text) is None


def test_a_home_keeps_its_keys(tmp_path) -> None:  # type: ignore[no-untyped-def]
    first = load_keyring(tmp_path)
    assert load_keyring(tmp_path).open(first.seal("x", b""), b"") == "x"
    assert (tmp_path / "keys.json").stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("tag", MEMBER_LANGUAGES)
def test_a_measure_is_said_in_words_of_each_language(tag: str) -> None:
    locale = Locale.parse(tag, sep="-")
    said = {
        measured(n, f"duration-{unit}", locale) for unit in ("day", "minute", "second") for n in (0, 1, 2, 3, 11, 100)
    }
    assert len(said) >= 15
    assert not [text for text in said if "duration" in text]


def test_languages_are_as_cldr_says() -> None:
    assert language("ar").direction == "rtl"
    assert language("ar").script == "Arab"
    assert language("es").own_name == "Español"
    assert canonical("PT_br") == "pt-BR"
    assert parents("es-MX") == ("es-MX", "es-419", "es")
    assert parents("zh") == ("zh", "zh-Hans")
    assert parents("zh-CN") == ("zh-Hans-CN", "zh-Hans", "zh")
    for nonsense in ("", "klingon", "x" * 300, "es-", "../en"):
        with pytest.raises(UnknownLanguage):
            canonical(nonsense)


@pytest.mark.parametrize(
    ("first", "second", "expected"),
    [
        ("es", None, Choice("es", CaughtBy.EXACT)),
        ("pt-BR", None, Choice("pt", CaughtBy.PARENT)),
        ("de", "pt-AO", Choice("pt", CaughtBy.SECOND)),
        ("de", "nl", Choice("es", CaughtBy.CHAIN)),
    ],
)
def test_each_step_of_the_fallback_chain(first: str, second: str | None, expected: Choice) -> None:
    assert choose(first, second, ["en", "es", "pt"], ["fr", "es"], "en") == expected


def test_the_default_catches_the_rest() -> None:
    assert choose("de", None, ["en"], ["fr"], "en") == Choice("en", CaughtBy.DEFAULT)


def test_the_migrations_make_exactly_the_mapped_tables(database: Database) -> None:
    assert is_current(database)
    inspector = inspect(database.engine)
    made = set(inspector.get_table_names()) - {"alembic_version"}
    assert made == set(metadata.tables)
    for name, table in metadata.tables.items():
        assert {c["name"] for c in inspector.get_columns(name)} == {c.name for c in table.columns}


def test_the_clock_is_utc_and_can_be_shifted(database: Database) -> None:
    with database.read() as session:
        now, later = session.execute(select(clock(), clock(90))).one()
    assert abs(now - datetime.now(UTC)) < timedelta(minutes=1)
    assert timedelta(seconds=89) < later - now < timedelta(seconds=91)


def test_both_databases_are_durable_as_we_open_them(database: Database) -> None:
    check_durability(database)


def test_a_postgresql_that_may_forget_a_commit_is_refused(database: Database) -> None:
    if database.engine.dialect.name == "sqlite":
        pytest.skip("SQLite is told how to commit by ourselves, on each connection.")

    def forgetful(connection: psycopg.Connection[object], _record: object) -> None:
        connection.execute("SET synchronous_commit = off")
        connection.commit()

    event.listen(database.engine, "connect", forgetful)
    with pytest.raises(UnsafeDurability, match="synchronous_commit=on"):
        check_durability(database)


def test_a_sqlite_that_may_forget_a_commit_is_refused(database: Database) -> None:
    if database.engine.dialect.name != "sqlite":
        pytest.skip("It is about SQLite.")
    event.listen(database.engine, "connect", lambda connection, _: connection.execute("PRAGMA synchronous = NORMAL"))
    with pytest.raises(UnsafeDurability, match="synchronous=FULL"):
        check_durability(database)
