"""Writing appeals: what is saved, what is refused, how complete it is."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from mobilizer.appeals import editing
from mobilizer.appeals.appeals import Appeal, Translation
from mobilizer.appeals.completeness import complete_languages, completeness
from mobilizer.appeals.copy import to_copy
from mobilizer.appeals.fields import BY_NAME, FIELDS, tidy
from mobilizer.db import Database
from mobilizer.message.content import Copy
from tests.appeals.conftest import WORDS, an_appeal, blank


def stored(database: Database, tag: str = "en") -> dict[str, str]:
    with database.read() as session:
        found = session.scalars(select(Translation).where(Translation.language == tag)).one()
        return {field.name: getattr(found, field.name) for field in FIELDS if not (field.variant or field.discreet)}


@pytest.fixture
def love(database: Database) -> Database:
    """A database with an empty appeal called love."""
    with database.write() as session:
        editing.create_appeal(session, "love", "en")
    return database


def test_words_are_saved_and_the_revision_grows(love: Database) -> None:
    with love.write() as session:
        appeal = editing.appeal_by_slug(session, "love")
        assert appeal is not None
        before = appeal.revision
        assert editing.save_translation(session, appeal, "en", WORDS) == []
        assert appeal.revision == before + 1
        assert editing.save_translation(session, appeal, "en", WORDS) == []
        assert appeal.revision == before + 1  # nothing new was said
    assert stored(love) == WORDS


@pytest.mark.parametrize(
    ("field", "value", "code"),
    [
        ("body", "Dear {{ shoe_size }}", "tags.unknown"),
        ("subject", "{{ first_name ", "tags.syntax"),
        ("title", "For {{ first_name }}", "appeal.tag_misplaced"),
        ("greeting_nameless", "Dear {{ name }}", "appeal.tag_misplaced"),
        ("button", "x" * 41, "appeal.too_long"),
    ],
)
def test_an_error_in_one_field_saves_none_of_them(love: Database, field: str, value: str, code: str) -> None:
    with love.write() as session:
        appeal = editing.appeal_by_slug(session, "love")
        assert appeal is not None
        found = editing.save_translation(session, appeal, "en", {**WORDS, field: value})
        assert [(problem.code, problem.where) for problem in found] == [(code, field)]
        assert found[0].text()
    assert set(stored(love).values()) == {""}


def test_a_form_that_somebody_overtook_is_refused(love: Database) -> None:
    with love.write() as session:
        appeal = editing.appeal_by_slug(session, "love")
        assert appeal is not None
        seen = editing.drawn_from(appeal, appeal.translations[0])
        assert editing.save_translation(session, appeal, "en", {"title": "First"}, seen=seen) == []
        late = editing.save_translation(session, appeal, "en", {"title": "Second"}, seen=seen)
        assert [problem.code for problem in late] == ["appeal.changed_meanwhile"]
    assert stored(love)["title"] == "First"


def test_two_translators_do_not_disturb_each_other(love: Database) -> None:
    with love.write() as session:
        appeal = editing.appeal_by_slug(session, "love")
        assert appeal is not None
        assert editing.add_language(session, appeal, "es_mx") == []
        seen = editing.drawn_from(appeal, appeal.translations[1])
        editing.save_translation(session, appeal, "en", {"title": "Love"})
        assert editing.save_translation(session, appeal, "es-MX", {"title": "Amor"}, seen=seen) == []


def test_languages_come_and_go_but_the_source_stays(love: Database) -> None:
    with love.write() as session:
        appeal = editing.appeal_by_slug(session, "love")
        assert appeal is not None
        assert editing.add_language(session, appeal, "ar") == []
        assert editing.add_language(session, appeal, "ar") == []
        assert [p.code for p in editing.add_language(session, appeal, "klingon")] == ["appeal.unknown_language"]
        assert [t.language for t in appeal.translations] == ["en", "ar"]
        assert [p.code for p in editing.remove_language(session, appeal, "en")] == ["appeal.source_stays"]
        assert editing.remove_language(session, appeal, "ar") == []
        missing = editing.save_translation(session, appeal, "ar", {"title": "x"})
        assert [p.code for p in missing] == ["appeal.no_such_translation"]
    with love.read() as session:
        assert list(session.scalars(select(Translation.language))) == ["en"]


def test_slugs_are_made_of_titles_and_are_free(love: Database) -> None:
    with love.write() as session:
        assert editing.slug_for(session, "Love!") == "love-2"
        assert editing.slug_for(session, "الحب") == "appeal"
        with pytest.raises(ValueError):
            editing.create_appeal(session, "Not a slug")


def test_appeals_are_listed_newest_first(love: Database) -> None:
    with love.write() as session:
        editing.create_appeal(session, "hope", "es")
    with love.read() as session:
        assert [appeal.slug for appeal in editing.appeals(session)] == ["hope", "love"]


def test_one_line_fields_have_one_line_and_no_field_has_control_characters() -> None:
    assert tidy(BY_NAME["subject"], " One\r\nBcc: two\x00\x07 ") == "One Bcc: two"
    assert tidy(BY_NAME["body"], "One\r\n\r\nTwo\x1b[0m\n") == "One\n\nTwo[0m"
    assert tidy(BY_NAME["title"], "الحب 🏳️‍🌈 ينتصر") == "الحب 🏳️‍🌈 ينتصر"


def test_completeness_names_what_is_missing_source_first() -> None:
    appeal = an_appeal()
    appeal.translations.append(blank("ar", title="الحب ينتصر", subject=" "))
    english, arabic, spanish = completeness(appeal)
    assert (english.language, english.done, english.total, english.complete) == ("en", 9, 9, True)
    assert (arabic.language, arabic.done) == ("ar", 1)
    assert "subject" in arabic.missing
    assert spanish.complete
    assert complete_languages(appeal) == ("en", "es")
    assert complete_languages(Appeal(slug="x", source_language="en")) == ()


def test_a_copy_has_every_field_of_a_mail() -> None:
    words = {name: text for name, text in WORDS.items() if not BY_NAME[name].pages}
    assert to_copy(an_appeal().translations[0]) == Copy(language="en", **words)
