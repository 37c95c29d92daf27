"""Cards of links: drawn once for each language, in letters that are shaped as their script asks for."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from PIL import Image, ImageFont, features

from mobilizer.appeals.media import keep
from mobilizer.languages import MEMBER_LANGUAGES, language
from mobilizer.public import cards
from tests.public.conftest import World

WORDS = {
    "en": "Love always wins: two minutes",
    "ar": "الحب ينتصر دائمًا (Sochi 2014)",
    "he": "האהבה תמיד מנצחת",
    "hi": "प्रेम की हमेशा जीत होती है",
    "ru": "Любовь всегда побеждает",
    "uk": "Любов завжди перемагає",
    "tr": "Aşk her zaman kazanır",
    "zh-Hans": "爱总会赢，两分钟",
}


@pytest.fixture
def poster(tmp_path: Path) -> str:
    """A picture in a media folder."""
    Image.new("RGB", (1200, 675), (165, 18, 61)).save(tmp_path / "still.png")
    return keep(tmp_path, (tmp_path / "still.png").read_bytes(), ".png")


def test_each_language_of_the_pages_has_letters_of_its_own() -> None:
    assert features.check("raqm"), "Pillow's wheels bring it along"
    for tag in MEMBER_LANGUAGES:
        path = cards._font_of(language(tag).script)
        assert path is not None, tag
        assert cards._is_written_whole(path, WORDS.get(tag, "Grüße, ça va, łódź, coração")), tag
    assert not cards._is_written_whole(cards.FONTS / "Latn.ttf", WORDS["ar"])


@pytest.mark.parametrize(("script", "word", "tag"), [("Arab", "الحب", "ar"), ("Deva", "प्रेम", "hi")])
def test_letters_are_joined(script: str, word: str, tag: str) -> None:
    path = cards.FONTS / f"{script}.ttf"
    shaped = ImageFont.truetype(path, 60, layout_engine=ImageFont.Layout.RAQM)
    plain = ImageFont.truetype(path, 60, layout_engine=ImageFont.Layout.BASIC)
    assert shaped.getlength(word, language=tag) < 0.95 * plain.getlength(word)


def test_a_card_is_made_once_for_each_language_and_title(tmp_path: Path, poster: str) -> None:
    titles = {"en": "Love", "ar": "الحب"}
    made = [cards.card(tmp_path, poster, title, language(tag)) for tag, title in titles.items()]
    there = {path.name for path in tmp_path.iterdir()}
    assert [cards.card(tmp_path, poster, title, language(tag)) for tag, title in titles.items()] == made
    assert {path.name for path in tmp_path.iterdir()} == there
    pictures = [Image.open(tmp_path / name).convert("L") for name in made]
    assert [picture.size for picture in pictures] == [(1200, 630)] * 2
    # One is written from the left, the other from the right.
    left, right = (60, 480, 300, 630), (900, 480, 1140, 630)
    assert [max(picture.crop(left).tobytes()) > 250 for picture in pictures] == [True, False]
    assert [max(picture.crop(right).tobytes()) > 250 for picture in pictures] == [False, True]


def test_what_can_not_be_written_is_left_away_and_what_is_too_long_is_cut(tmp_path: Path, poster: str) -> None:
    bare = cards.drawn(tmp_path / poster, "ভালোবাসা", language("bn"))
    assert cards.drawn(tmp_path / poster, "", language("bn")) == bare
    for title in ("Love " * 60, "Love" * 60, ""):
        assert cards.drawn(tmp_path / poster, title, language("en"))
    assert cards.card(tmp_path, "0" * 40 + ".jpg", "Gone", language("en")) == "0" * 40 + ".jpg"
    english = language("en")
    _, lines = cards._fitted(cards._font_of("Latn") or Path(), "Love, always, " * 20, english)
    assert re.search(r"\w…$", lines[-1])


def test_the_page_names_the_card_of_its_language_and_it_is_kept_for_long(world: World) -> None:
    found = {tag: re.search(r'og:image" content="http://[^/]+(/[^"]+)"', page_of(world, tag)) for tag in ("es", "ar")}
    assert found["es"]
    assert found["ar"]
    assert found["es"][1] != found["ar"][1]
    answer = world.browser().get(found["ar"][1])
    assert (answer.mimetype, "immutable" in answer.headers["Cache-Control"]) == ("image/jpeg", True)


def page_of(world: World, tag: str) -> str:
    return world.browser().get(f"/w/love-always-wins/{tag}").text
