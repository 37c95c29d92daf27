"""Tags: one word is one tag; put on by hand and by a file, taken off by hand and by an undo, gone with the member."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import func, select

from mobilizer.audience import tagging
from mobilizer.audience.imports import Import
from mobilizer.audience.members import Member
from mobilizer.audience.standing import leave_all
from mobilizer.audience.suppressing import suppress
from mobilizer.audience.suppressions import SuppressedFor
from mobilizer.audience.tags import (
    MAX_NAME,
    MOST_AT_ONCE,
    MemberTag,
    Tag,
    folded,
    name_problem,
    names_problems,
    split_names,
)
from mobilizer.audience.undoing import foretell_undo, run_undo, start_undo
from mobilizer.installation import Installation
from mobilizer.rights.erasing import erase
from mobilizer.rights.holding import held
from tests.audience.conftest import Importer

FILE = "email,tags\nana@example.org,Volunteer; driver\nbo@example.org,VOLUNTEER|\ncy@example.org,\n"


def worn(installation: Installation) -> dict[str, set[str]]:
    """The tags of every member, by address."""
    with installation.database.read() as session:
        members = session.scalars(select(Member)).all()
        tags = tagging.tags_of(session, [member.id for member in members])
        return {m.identity(installation.keyring).email: set(tags.get(m.id, {}).values()) for m in members}


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("a, b;c|d", ("a", "b", "c", "d")),
        (" Two  words ,two words,", ("Two words",)),
        ('"Tag one","Tag two"', ("Tag one", "Tag two")),
        ("متطوع، سائق؛ أخرى", ("متطوع", "سائق", "أخرى")),
        ("Straße;STRASSE", ("Straße",)),
        ("", ()),
        (" ;, | ", ()),
    ],
)
def test_a_text_names_tags_with_signs_between_them(text: str, names: tuple[str, ...]) -> None:
    assert split_names(text) == names


@given(st.text())
def test_no_text_names_a_tag_twice_or_an_empty_one(text: str) -> None:
    names = split_names(text)
    assert len({folded(name) for name in names}) == len(names)
    assert all(names)


def test_a_tag_holds_no_address_and_is_short() -> None:
    assert name_problem("a" * MAX_NAME) is None
    for name in ("a" * (MAX_NAME + 1), "ana@example.org", " ", "a,b"):
        assert name_problem(name) is not None, name
    assert [p.code for p in names_problems(tuple(map(str, range(MOST_AT_ONCE + 1))))] == ["tag.too_many"]


def test_a_file_puts_tags_on_from_its_column_and_for_everyone(installation: Installation, bring: Importer) -> None:
    row = bring(FILE, tags=["Spring"])
    assert row.counts == {"new": 3}
    assert worn(installation) == {
        "ana@example.org": {"Volunteer", "driver", "Spring"},
        "bo@example.org": {"Volunteer", "Spring"},
        "cy@example.org": {"Spring"},
    }
    assert bring(FILE, tags=["spring"]).counts == {"unchanged": 3}
    assert bring("email,tags\nana@example.org,new\nbo@example.org,volunteer\n").counts == {"updated": 1, "unchanged": 1}
    with installation.database.read() as session:
        assert [(line.name, line.members) for line in tagging.tag_lines(session)] == [
            ("driver", 1), ("new", 1), ("Spring", 3), ("Volunteer", 2),
        ]  # fmt: skip


def test_who_left_or_is_suppressed_gets_no_tag(installation: Installation, bring: Importer) -> None:
    bring(FILE.replace("tags\n", "x\n"))
    with installation.database.write() as session:
        keys = [installation.keyring.address_key(f"{who}@example.org") for who in ("ana", "bo")]
        ana = session.scalars(select(Member.id).where(Member.address_key == keys[0])).one()
        leave_all(session, ana)
        suppress(session, keys[1], SuppressedFor.COMPLAINT)
    bring(FILE, tags=["late"])
    assert worn(installation) == {"ana@example.org": set(), "bo@example.org": set(), "cy@example.org": {"late"}}


def test_what_is_no_tag_is_left_out_and_said(installation: Installation, bring: Importer) -> None:
    many = "|".join(f"t{n}" for n in range(MOST_AT_ONCE + 5))
    row = bring(f'email,tags\nana@example.org,"ok;bo@example.org;{"x" * 70}"\nbo@example.org,{many}\n')
    assert row.counts == {"new": 2}
    assert worn(installation)["ana@example.org"] == {"ok"}
    assert len(worn(installation)["bo@example.org"]) == MOST_AT_ONCE


def test_an_undo_takes_off_what_its_import_put_on_and_nothing_else(installation: Installation, bring: Importer) -> None:
    bring(FILE)
    second = bring("email,tags\nana@example.org,driver;new\ncy@example.org,new\n", tags=["late"])
    with installation.database.read() as session:
        undo = foretell_undo(session, session.get_one(Import, second.id), held)
    assert undo is not None
    assert undo.restored == 2
    with installation.database.write() as session:
        assert start_undo(session, session.get_one(Import, second.id))
    run_undo(installation, second.id, held)
    assert worn(installation) == {
        "ana@example.org": {"Volunteer", "driver"},
        "bo@example.org": {"Volunteer"},
        "cy@example.org": set(),
    }


def test_tags_go_with_the_member_and_stay_with_others(installation: Installation, bring: Importer) -> None:
    bring(FILE)
    with installation.database.write() as session:
        key = installation.keyring.address_key("ana@example.org")
        assert erase(session, session.scalars(select(Member.id).where(Member.address_key == key)).one())
    assert worn(installation) == {"bo@example.org": {"Volunteer"}, "cy@example.org": set()}
    with installation.database.write() as session:
        assert session.scalar(select(func.count()).select_from(MemberTag)) == 1
        session.delete(session.scalars(select(Tag).where(Tag.folded == "volunteer")).one())
    assert worn(installation) == {"bo@example.org": set(), "cy@example.org": set()}


def test_a_tag_is_renamed_but_never_to_one_that_is_there(installation: Installation, bring: Importer) -> None:
    bring(FILE)
    with installation.database.write() as session:
        tag = tagging.tag_named(session, "volunteer")
        assert tag is not None
        assert [p.code for p in tagging.rename(session, tag, "DRIVER")] == ["tag.taken"]
        assert [p.code for p in tagging.rename(session, tag, "a@b")] == ["tag.address"]
        assert tagging.rename(session, tag, "volunteer") == []
        assert tagging.rename(session, tag, " Helping  hands ") == []
    assert worn(installation)["bo@example.org"] == {"Helping hands"}


def test_a_file_may_name_more_tags_than_one_statement_asks_for(
    installation: Installation, bring: Importer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tagging, "ASKED_AT_ONCE", 2)
    row = bring("email,tags\n" + "".join(f"p{n}@example.org,t{n}|u{n}|All\n" for n in range(4)))
    assert row.counts == {"new": 4}
    with installation.database.read() as session:
        lines = {line.name: line.members for line in tagging.tag_lines(session)}
    assert lines == {"All": 4, **{f"{letter}{n}": 1 for letter in "tu" for n in range(4)}}
