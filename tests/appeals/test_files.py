"""The appeal's file: exact both ways, and every mistake named with its place."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import func, select

from mobilizer.appeals import files
from mobilizer.appeals.appeals import Appeal, Translation
from mobilizer.appeals.editing import appeal_by_slug, check_values
from mobilizer.appeals.fields import BY_NAME, tidy
from mobilizer.appeals.files import AppealFile, BadAppealFile, put_appeal, read_appeal, write_appeal
from mobilizer.appeals.parity import parity
from mobilizer.db import Database
from tests.appeals.conftest import Picture, an_appeal, blank

CONTENT = Path(files.__file__).parents[1] / "demo" / "content"

LOVE = """\
slug: love
source_language: en
translations:
  en:
    subject: Love
"""


def problems(text: str) -> dict[str, str]:
    """where -> code of each problem in a file."""
    with pytest.raises(BadAppealFile) as caught:
        read_appeal(text)
    assert all("%(" not in problem.text() for problem in caught.value.problems)
    return {problem.where: problem.code for problem in caught.value.problems}


def words_of(appeal: Appeal | AppealFile) -> dict[str, dict[str, str]]:
    if isinstance(appeal, AppealFile):
        return {tag: {name: words.get(name, "") for name in BY_NAME} for tag, words in appeal.translations.items()}
    return {t.language: {name: getattr(t, name) for name in BY_NAME} for t in appeal.translations}


@given(st.dictionaries(st.sampled_from(sorted(BY_NAME)), st.text(max_size=120)), st.text(max_size=40))
def test_what_is_written_is_what_is_read(words: dict[str, str], other: str) -> None:
    tidied = {name: tidy(BY_NAME[name], value) for name, value in words.items()}
    if check_values(tidied):
        return
    appeal = an_appeal()
    appeal.translations[0] = blank("en", **tidied)
    appeal.translations[1].body = tidy(BY_NAME["body"], other.replace("{", "").replace("}", ""))
    read = read_appeal(write_appeal(appeal))
    assert words_of(read) == words_of(appeal)
    assert (read.slug, read.source_language, read.video, read.poster, read.video_seconds) == (
        appeal.slug, "en", appeal.video, appeal.poster, 120,
    )  # fmt: skip


@pytest.mark.parametrize(
    "word", ["no", "yes", "~x", "12:30", "0123", "1e3", "2026-01-01", "- dash", "a: b", "#hash", "'"]
)
def test_words_that_yaml_likes_to_twist_stay_words(word: str) -> None:
    appeal = an_appeal()
    appeal.translations[0].title = word
    assert words_of(read_appeal(write_appeal(appeal)))["en"]["title"] == word


def test_norwegian_is_a_language_and_not_a_no() -> None:
    text = "slug: love\nsource_language: no\ntranslations:\n  no:\n    subject: Ja\n"
    assert words_of(read_appeal(text))["no"]["subject"] == "Ja"


@pytest.mark.parametrize(
    ("text", "where", "code"),
    [
        (LOVE.replace("slug: love", "slug: Love wins"), "slug", "file.no_slug"),
        (LOVE.replace("slug: love\n", ""), "slug", "file.no_slug"),
        (LOVE + "    colour: red\n", "translations.en.colour", "file.unknown_field"),
        (LOVE + "colour: red\n", "colour", "file.unknown_field"),
        (LOVE + "template: newsletter\n", "template", "file.no_template"),
        (LOVE + "template: ../../etc\n", "template", "file.no_slug"),
        (LOVE + "    body: 'Hi {{ shoe }}'\n", "translations.en.body", "tags.unknown"),
        (LOVE + "    body: 'Hi {{ name '\n", "translations.en.body", "tags.syntax"),
        (LOVE + f"    button: {'x' * 50}\n", "translations.en.button", "appeal.too_long"),
        (LOVE + "    body:\n      - one\n", "translations.en.body", "file.list"),
        (LOVE + "    body:\n      deep: er\n", "translations.en.body", "file.no_text"),
        (LOVE + "    subject: Again\n", "translations.en.subject", "file.twice"),
        (LOVE + "  klingon:\n    subject: x\n", "translations.klingon", "file.unknown_language"),
        (LOVE + "  EN:\n    subject: x\n", "translations.EN", "file.language_twice"),
        (LOVE + "  es: nada\n", "translations.es", "file.no_fields"),
        (LOVE + "video_seconds: two\n", "video_seconds", "file.no_seconds"),
        (LOVE + "video_seconds: -5\n", "video_seconds", "file.no_seconds"),
        (LOVE.replace("source_language: en", "source_language: fr"), "source_language", "file.no_source"),
        ("slug: love\nsource_language: en\n", "translations", "file.no_translations"),
        ("just words", "", "file.no_mapping"),
        ("slug: [unclosed", "", "file.not_yaml"),
        ("title: a: b", "", "file.not_yaml"),
        ("\x00\x01", "", "file.not_yaml"),
        ("a: &a x\nb: *a\n", "", "file.not_yaml"),
        ("[" * 50_000, "", "file.not_yaml"),
        ("a: " + "x" * 600_000, "", "file.too_long"),
        ("a: !!python/object/apply:os.system [echo]", "a", "file.list"),
    ],
)
def test_a_mistake_is_named_with_its_place(text: str, where: str, code: str) -> None:
    assert problems(text).get(where) == code


def test_all_mistakes_are_named_at_once() -> None:
    assert len(problems(LOVE.replace("love", "L O") + "video_seconds: x\ncolour: red\n")) == 3


@given(st.text())
def test_any_text_is_an_appeal_or_a_problem(text: str) -> None:
    with pytest.raises(BadAppealFile):
        read_appeal(text)


def test_a_file_brings_an_appeal_with_its_media(database: Database, tmp_path: Path, picture: Picture) -> None:
    (tmp_path / "film.mp4").write_bytes(b"\x00\x00\x00\x18ftypisom")
    (tmp_path / "still.png").write_bytes(picture())
    (tmp_path / "es.vtt").write_text("WEBVTT\n\n00:01.000 --> 00:02.000\nHi\n")
    text = (
        LOVE + "  es:\n    subject: Amor\n    captions: es.vtt\nvideo: film.mp4\nposter: still.png\nvideo_seconds: 90\n"
    )
    media = tmp_path / "media"
    with database.write() as session:
        put_appeal(session, media, read_appeal(text), tmp_path)
    with database.read() as session:
        appeal = appeal_by_slug(session, "love")
        assert appeal is not None
        assert (media / appeal.video).read_bytes() == b"\x00\x00\x00\x18ftypisom"
        assert (media / appeal.poster).read_bytes() == picture()
        assert appeal.video_seconds == 90
        assert [(t.language, t.subject, bool(t.captions)) for t in appeal.translations] == [
            ("en", "Love", False), ("es", "Amor", True),
        ]  # fmt: skip
        assert files.media_of(appeal) == {appeal.video, appeal.poster, appeal.translations[1].captions}


def test_an_exported_file_comes_in_again_the_same(database: Database, tmp_path: Path, picture: Picture) -> None:
    media = tmp_path / "media"
    (tmp_path / "still.jpg").write_bytes(picture(form="JPEG"))
    with database.write() as session:
        put_appeal(session, media, read_appeal(LOVE + "poster: still.jpg\n"), tmp_path)
    with database.read() as session:
        out = write_appeal(appeal_by_slug(session, "love") or Appeal(), media="media/")
    with database.write() as session:
        # The media are found beside the file, and without the file's folder by the names that we gave.
        for folder in (tmp_path, None):
            again = put_appeal(session, media, read_appeal(out), folder, replace=True)
            assert write_appeal(again, media="media/") == out


@pytest.mark.parametrize(
    "path", ["missing.jpg", "../outside.jpg", "/etc/hostname", f"{'a' * 40}.jpg", "a/../../outside.jpg"]
)
def test_media_that_are_not_beside_the_file_are_refused(
    database: Database, tmp_path: Path, picture: Picture, path: str
) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    (tmp_path / "outside.jpg").write_bytes(picture(form="JPEG"))
    with database.write() as session, pytest.raises(BadAppealFile) as caught:
        put_appeal(session, tmp_path / "media", read_appeal(LOVE + f"poster: {path}\n"), folder)
    assert [(p.code, p.where) for p in caught.value.problems] == [("file.no_media", "poster")]
    with database.read() as session:
        assert session.scalar(select(func.count()).select_from(Appeal)) == 0


def test_a_poster_that_is_no_picture_is_refused_at_once(database: Database, tmp_path: Path) -> None:
    (tmp_path / "still.jpg").write_bytes(b"\xff\xd8\xff but no picture")
    with database.write() as session, pytest.raises(BadAppealFile) as caught:
        put_appeal(session, tmp_path / "media", read_appeal(LOVE + "poster: still.jpg\n"), tmp_path)
    assert [(p.code, p.where) for p in caught.value.problems] == [("poster.not_a_picture", "poster")]


def test_an_appeal_is_replaced_only_when_asked_and_then_whole(database: Database, tmp_path: Path) -> None:
    with database.write() as session:
        put_appeal(session, tmp_path, read_appeal(LOVE + "  es:\n    subject: Amor\n"), tmp_path)
    with database.write() as session, pytest.raises(BadAppealFile) as caught:
        put_appeal(session, tmp_path, read_appeal(LOVE), tmp_path)
    assert caught.value.problems[0].code == "file.slug_taken"
    with database.write() as session:
        before = (appeal_by_slug(session, "love") or Appeal()).revision
        after = put_appeal(session, tmp_path, read_appeal(LOVE.replace("Love", "New")), tmp_path, replace=True)
        assert after.revision > before
    with database.read() as session:
        assert list(session.execute(select(Translation.language, Translation.subject))) == [("en", "New")]


@pytest.mark.parametrize("path", sorted(CONTENT.glob("*.yaml")), ids=lambda path: path.stem)
def test_the_demos_own_files_are_without_fault(database: Database, tmp_path: Path, path: Path) -> None:
    with database.write() as session:
        appeal = put_appeal(session, tmp_path / "media", read_appeal(path.read_text(encoding="utf-8")), path.parent)
        assert parity(appeal) == []
        assert all(set(words) == set(BY_NAME) for words in words_of(appeal).values())
