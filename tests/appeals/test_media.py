"""The media folder and the poster of a mail."""

from __future__ import annotations

import os
from collections.abc import Callable
from io import BytesIO
from pathlib import Path

import pytest
from PIL import Image

from mobilizer.appeals import poster
from mobilizer.appeals.media import MAX_BYTES, BadMedia, is_kept_name, keep, keep_stream
from mobilizer.appeals.poster import reencoded
from tests.appeals.conftest import Picture


def test_a_file_is_named_by_its_content(tmp_path: Path, picture: Picture) -> None:
    data = picture()
    name = keep(tmp_path / "media", data, ".PNG")
    assert is_kept_name(name)
    assert keep(tmp_path / "media", data, ".png") == name
    assert (tmp_path / "media" / name).read_bytes() == data
    assert [path.name for path in (tmp_path / "media").iterdir()] == [name]


@pytest.mark.parametrize(
    ("data", "suffix", "code"),
    [
        (b"GIF89a", ".gif", "unknown_kind"),
        (b"<svg onload=alert(1)>", ".svg", "unknown_kind"),
        (b"<html>", ".jpg", "not_what_it_says"),
        (b"\xff\xd8\xff", ".mp4", "not_what_it_says"),
        (b"1\n00:00 --> 00:01\nHi", ".vtt", "not_what_it_says"),
        (b"WEBVTT\n\n\xff", ".vtt", "not_what_it_says"),
        (b"WEBVTT\n" + b"x" * 1_000_001, ".vtt", "too_big"),
    ],
)
def test_a_file_that_is_not_what_it_says_is_refused(tmp_path: Path, data: bytes, suffix: str, code: str) -> None:
    with pytest.raises(BadMedia) as caught:
        keep(tmp_path, data, suffix)
    assert caught.value.problem.code == f"media.{code}"
    assert caught.value.problem.text()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("data", "suffix", "kept"),
    [
        (b"WEBVTT\n\n00:01.000 --> 00:02.000\nHi\n", ".vtt", ".vtt"),
        ("\ufeffWEBVTT - words\n\n00:01.000 --> 00:02.000\nHi\n".encode(), ".vtt", ".vtt"),
        (b"\x00\x00\x00\x18ftypisom", ".m4v", ".mp4"),
        (b"\x1a\x45\xdf\xa3webm", ".webm", ".webm"),
        (b"\xff\xd8\xff\xe0", ".jpeg", ".jpg"),
    ],
)
def test_usual_kinds_are_kept(tmp_path: Path, data: bytes, suffix: str, kept: str) -> None:
    assert keep(tmp_path, data, suffix).endswith(kept)


@pytest.mark.parametrize("name", ["../keys.json", "a.jpg", f"{'a' * 40}.html", f"{'A' * 40}.jpg", f"{'a' * 40}.jpg\n"])
def test_only_names_we_gave_are_names(name: str) -> None:
    assert not is_kept_name(name)


@pytest.mark.parametrize(
    ("size", "form", "mode"),
    [
        ((1920, 1080), "PNG", "RGB"),
        ((1200, 675), "JPEG", "CMYK"),
        ((800, 450), "PNG", "RGBA"),
        ((640, 480), "PNG", "P"),
        ((500, 900), "WEBP", "RGB"),
        ((3000, 600), "JPEG", "L"),
    ],
)
def test_any_picture_becomes_a_sharp_small_progressive_jpeg(
    picture: Picture, size: tuple[int, int], form: str, mode: str
) -> None:
    data = poster.with_play_mark(picture(*size, form=form, mode=mode))
    with Image.open(BytesIO(data)) as made:
        assert (made.format, made.mode, made.width) == ("JPEG", "RGB", 1200)
        assert made.info.get("progressive")
        assert 600 <= made.height <= 1200
    assert len(data) < poster.MAX_BYTES


def test_the_worst_picture_stays_under_200_kilobytes() -> None:
    out = BytesIO()
    Image.frombytes("RGB", (1200, 1200), os.urandom(1200 * 1200 * 3)).save(out, "PNG")
    assert len(poster.with_play_mark(out.getvalue())) < poster.MAX_BYTES


@pytest.mark.parametrize("ground", ["white", "black", "#a5123d"])
def test_the_mark_stands_out_on_every_ground(ground: str) -> None:
    out = BytesIO()
    Image.new("RGB", (1200, 675), ground).save(out, "PNG")
    with Image.open(BytesIO(poster.with_play_mark(out.getvalue()))) as made:
        middle = made.convert("L").crop((500, 237, 700, 437))
        # On a phone, 320 wide, triangle and disc must still differ by much: 4.5 to 1 is about 140 of 255 here.
        small = middle.resize((53, 53), Image.Resampling.LANCZOS)
        triangle, disc = small.getpixel((27, 26)), small.getpixel((27, 9))
    assert isinstance(triangle, int)
    assert isinstance(disc, int)
    assert triangle > 225
    assert triangle - disc > 140


def test_edges_of_the_mark_are_smooth() -> None:
    out = BytesIO()
    Image.new("RGB", (1200, 675), "black").save(out, "PNG")
    with Image.open(BytesIO(poster.with_play_mark(out.getvalue()))) as made:
        colours = {made.convert("L").getpixel((x, 337)) for x in range(480, 620)}
    assert len(colours) > 8


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", "not_a_picture"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "not_a_picture"),
        (b"\x89PNG\r\n\x1a\n" + b"\0" * 100, "not_a_picture"),
        (b"\xff\xd8\xff\xe0 broken", "not_a_picture"),
    ],
)
def test_what_is_no_picture_is_refused(data: bytes, code: str) -> None:
    with pytest.raises(BadMedia) as caught:
        poster.with_play_mark(data)
    assert caught.value.problem.code == f"poster.{code}"


def test_a_picture_cut_off_half_way_is_refused(picture: Picture) -> None:
    with pytest.raises(BadMedia):
        poster.with_play_mark(picture()[:300])


def test_a_bomb_is_refused_before_it_is_unpacked(picture: Picture) -> None:
    small = bytearray(picture(1, 1))
    # The size in a PNG's header, and its checksum, say 60,000 by 60,000.
    import zlib

    small[16:24] = (60_000).to_bytes(4) * 2
    small[29:33] = zlib.crc32(bytes(small[12:29])).to_bytes(4)
    with pytest.raises(BadMedia) as caught:
        poster.with_play_mark(bytes(small))
    assert caught.value.problem.code in ("poster.too_large", "poster.not_a_picture")


def test_a_thumbnail_is_refused(picture: Picture) -> None:
    with pytest.raises(BadMedia) as caught:
        poster.with_play_mark(picture(120, 90))
    assert caught.value.problem.code == "poster.too_small"


def test_a_poster_is_composed_once(tmp_path: Path, picture: Picture, monkeypatch: pytest.MonkeyPatch) -> None:
    name = keep(tmp_path, picture(1600, 900), ".png")
    first = poster.compose_poster(tmp_path, name)
    assert (first.width, first.height) == (600, 338)
    assert is_kept_name(first.name)
    monkeypatch.setattr(poster, "with_play_mark", None)
    assert poster.compose_poster(tmp_path, name) == first


def test_a_poster_whose_file_is_gone_is_a_problem(tmp_path: Path) -> None:
    for name in (f"{'a' * 40}.jpg", ""):
        with pytest.raises(BadMedia) as caught:
            poster.compose_poster(tmp_path, name)
        assert caught.value.problem.code == "poster.gone"


@pytest.mark.parametrize("form", ["PNG", "JPEG", "WEBP"])
def test_a_picture_with_broken_remarks_of_a_camera_is_refused_or_used_but_breaks_nothing(form: str) -> None:
    """What is kept here is composed anew wherever the appeal is shown: there it would break the page."""
    buffer = BytesIO()
    Image.new("RGB", (1200, 675)).save(buffer, form, exif=b"Exif\0\0garbage")

    def judged(by: Callable[[bytes], object]) -> str:
        try:
            by(buffer.getvalue())
        except BadMedia as refused:
            return refused.problem.code
        return "good"

    assert judged(poster.poster_size) == judged(poster.with_play_mark)


def test_a_picture_keeps_nothing_of_the_camera_and_is_small(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x010F], exif[0x0112] = "CAMERA OF ANA", 6  # its maker, and that it stands on its side
    data = BytesIO()
    Image.effect_noise((3000, 2000), 90).convert("RGB").save(data, "JPEG", exif=exif)
    assert b"CAMERA OF ANA" in data.getvalue()
    made = reencoded(data.getvalue())
    with Image.open(BytesIO(made)) as picture:
        assert not picture.getexif()
        assert picture.size == (800, 1200), "upright, and as large as two pixels for each that is shown"
    assert len(made) < 200_000
    assert b"ANA" not in made


def test_a_film_is_kept_a_piece_at_a_time_under_the_name_of_its_content(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    film = b"\0\0\0\x18ftypmp42" + bytes(3_000_000)
    assert keep_stream(tmp_path, BytesIO(film), ".mp4") == keep(tmp_path, film, ".mp4")
    monkeypatch.setitem(MAX_BYTES, "video", 2_000_000)
    with pytest.raises(BadMedia, match="too_big"):
        keep_stream(tmp_path, BytesIO(film), ".mp4")
    with pytest.raises(BadMedia, match="not_what_it_says"):
        keep_stream(tmp_path, BytesIO(b"GIF89a" + film), ".webm")
    assert len(list(tmp_path.iterdir())) == 1, "nothing half is left"
