"""The demo's appeals and media are whole, in every language."""

from __future__ import annotations

from pathlib import Path

import pytest
import webvtt
from PIL import Image

from mobilizer.appeals.appeals import Appeal
from mobilizer.appeals.completeness import completeness
from mobilizer.appeals.files import AppealFile, put_appeal, read_appeal
from mobilizer.appeals.parity import parity
from mobilizer.demo.contents import FOLDER
from mobilizer.installation import Installation
from mobilizer.languages import language

APPEALS = ("love-always-wins", "a-seat-at-the-table")
MEDIA = FOLDER / "media"


def appeal_file(slug: str) -> AppealFile:
    return read_appeal((FOLDER / f"{slug}.yaml").read_text(encoding="utf-8"))


@pytest.mark.parametrize("slug", APPEALS)
def test_every_translation_is_complete_and_says_the_same_as_its_source(empty: Installation, slug: str) -> None:
    with empty.database.write() as session:
        appeal: Appeal = put_appeal(session, empty.settings.media, appeal_file(slug), FOLDER)
        assert [state.missing for state in completeness(appeal)] == [()] * len(appeal.translations)
        assert [problem.text() for problem in parity(appeal)] == []


def test_the_appeal_is_written_in_five_languages_one_of_them_right_to_left() -> None:
    assert set(appeal_file("love-always-wins").translations) == {"en", "es", "fr", "pt", "ar"}
    assert language("ar").direction == "rtl"


def test_each_text_can_be_read_in_a_minute_and_stresses_what_matters() -> None:
    for tag, words in appeal_file("love-always-wins").translations.items():
        assert 110 <= len(words["body"].split()) <= 180, tag
        assert words["body"].count("**") == 4, tag


@pytest.mark.parametrize("slug", APPEALS)
def test_the_poster_is_wide_and_light(slug: str) -> None:
    path = MEDIA / f"{slug}.jpg"
    with Image.open(path) as picture:
        assert (picture.format, picture.size) == ("JPEG", (1280, 720))
    assert path.stat().st_size < 200_000


@pytest.mark.parametrize("slug", APPEALS)
def test_the_clip_starts_to_play_before_it_is_loaded(slug: str) -> None:
    data = (MEDIA / f"{slug}.mp4").read_bytes()
    assert data[4:8] == b"ftyp"
    assert b"avc1" in data
    assert data.index(b"moov") < data.index(b"mdat")
    assert len(data) < 400_000


@pytest.mark.parametrize("path", sorted(MEDIA.glob("*.vtt")), ids=lambda path: path.name)
def test_captions_follow_one_another_in_time(path: Path) -> None:
    cues = list(webvtt.read(str(path)))
    assert cues
    moments = [moment for cue in cues for moment in (cue.start_in_seconds, cue.end_in_seconds)]
    assert moments == sorted(moments)
    assert all(cue.text.strip() for cue in cues)


@pytest.mark.parametrize("slug", APPEALS)
def test_captions_are_there_in_each_language_of_the_appeal(slug: str) -> None:
    assert {path.name.split(".")[1] for path in MEDIA.glob(f"{slug}.*.vtt")} == set(appeal_file(slug).translations)
