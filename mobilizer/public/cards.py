"""Public: the card that messengers draw beside a link. The poster with its play mark and the title, in each language.

Letters are shaped by Raqm (HarfBuzz, FriBidi), as Arabic and Devanagari need it, with fonts of our own. A title that
they can't write whole is left away: messengers print it below the picture anyhow.
"""

from __future__ import annotations

import hashlib
import unicodedata
from functools import cache
from io import BytesIO
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont, ImageOps, features

from mobilizer.appeals.media import BadMedia, is_kept_name, keep
from mobilizer.appeals.poster import compose_poster
from mobilizer.languages import Language

WIDTH, HEIGHT = 1200, 630
FONTS = Path(__file__).parent / "fonts"
# Scripts that are written with another's font.
_WITH = {"Cyrl": "Latn", "Grek": "Latn"}
_MARGIN, _SIZES, _LINES = 60, (66, 58, 50, 42), 2
_BEFORE_DOTS = " ,;:.–—-،؛。，、：；।"  # does not stand before the dots of a title that is cut
_LEADING = 1.32  # between lines: room for marks above and below the letters
_SHADE = 0.88  # how dark the ground is at the foot of the title
_MADE_AS = "2"  # changes when cards are drawn otherwise


def card(media: Path, poster: str, title: str, spoken: Language) -> str:
    """The name of the card in the media folder, made once; the poster itself where none can be made."""
    of = hashlib.blake2b("\0".join((_MADE_AS, spoken.tag, title)).encode(), digest_size=8).hexdigest()
    marker = media / f".{poster}.{of}.card"
    try:
        known = marker.read_text()
        if is_kept_name(known) and (media / known).is_file():
            return known
    except FileNotFoundError:
        pass  # not made yet
    try:
        made = keep(media, drawn(media / compose_poster(media, poster).name, title, spoken), ".jpg")
    except (BadMedia, OSError):
        return poster
    marker.write_text(made)
    return made


def drawn(poster: Path, title: str, spoken: Language) -> bytes:
    """A JPEG of 1200 by 630 pixels. Raises OSError for what is no picture."""
    with Image.open(poster) as image:
        picture = ImageOps.fit(image.convert("RGB"), (WIDTH, HEIGHT), Image.Resampling.LANCZOS)
    path = _font_of(spoken.script)
    if path and features.check("raqm") and _is_written_whole(path, title):
        _write(picture, path, " ".join(title.split()), spoken)
    data = BytesIO()
    picture.save(data, "JPEG", quality=82, progressive=True, optimize=True)
    return data.getvalue()


def _write(picture: Image.Image, path: Path, title: str, spoken: Language) -> None:
    font, lines = _fitted(path, title, spoken)
    high = round(font.size * _LEADING)
    top = HEIGHT - _MARGIN // 2 - high * len(lines)
    _shade(picture, top - _MARGIN)
    from_right = spoken.direction == "rtl"
    for number, line in enumerate(lines):
        ImageDraw.Draw(picture).text(
            (WIDTH - _MARGIN if from_right else _MARGIN, top + number * high),
            line,
            "white",
            font,
            anchor="ra" if from_right else "la",
            direction=spoken.direction,
            language=spoken.tag,
        )


def _shade(picture: Image.Image, top: int) -> None:
    """Darken the foot of a picture, softly from `top` on, so that white letters can be read on it."""
    column = Image.new("L", (1, HEIGHT))
    for y in range(top, HEIGHT):
        column.putpixel((0, y), round(255 * _SHADE * min(1.0, 1.6 * (y - top) / (HEIGHT - top))))
    picture.paste((18, 16, 24), (0, 0), column.resize(picture.size))


def _fitted(path: Path, title: str, spoken: Language) -> tuple[ImageFont.FreeTypeFont, list[str]]:
    """The largest size at which a title stands in two lines; at the smallest, what is left over is cut."""
    for size in _SIZES:
        font = ImageFont.truetype(path, size, layout_engine=ImageFont.Layout.RAQM)
        lines = _broken(font, title, spoken)
        if len(lines) <= _LINES:
            return font, lines
    last = lines[_LINES - 1].rstrip(_BEFORE_DOTS)
    while last and not _fits(font, last + "…", spoken):
        last = last[:-1].rstrip(_BEFORE_DOTS)
    return font, [*lines[: _LINES - 1], last + "…"]


def _broken(font: ImageFont.FreeTypeFont, title: str, spoken: Language) -> list[str]:
    between = "" if spoken.script == "Hans" else " "
    lines = [""]
    for word in title.split(" ") if between else title:
        longer = f"{lines[-1]}{between}{word}".strip()
        if lines[-1] and not _fits(font, longer, spoken):
            lines.append(word)
        else:
            lines[-1] = longer
    return lines


def _fits(font: ImageFont.FreeTypeFont, line: str, spoken: Language) -> bool:
    return font.getlength(line, direction=spoken.direction, language=spoken.tag) <= WIDTH - 2 * _MARGIN


def _font_of(script: str) -> Path | None:
    path = FONTS / f"{_WITH.get(script, script)}.ttf"
    return path if path.is_file() else None


@cache
def _plain(path: Path) -> ImageFont.FreeTypeFont:
    return ImageFont.truetype(path, 24, layout_engine=ImageFont.Layout.BASIC)


def _is_written_whole(path: Path, title: str) -> bool:
    """Whether a font has every letter of a title; what it lacks is drawn as the same box as a letter that is none."""
    font = _plain(path)
    none = bytes(font.getmask("\U0010ffff"))
    letters = {letter for letter in title if unicodedata.category(letter)[0] not in "CZ"}
    return all(bytes(font.getmask(letter)) != none for letter in letters)
