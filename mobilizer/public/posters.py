"""Public: the poster on a member's phone. A light form of it, made once, so that the page stays under 60 KB."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path

from PIL import Image, ImageOps

from mobilizer.appeals.media import is_kept_name, keep

WIDTH = 960
MAX_BYTES = 22_000


def light(media: Path, name: str) -> str:
    """The name of a JPEG of the poster, at most 960 wide and about 22 KB; the poster itself where none can be made."""
    marker = media / f".{name}.light"
    try:
        known = marker.read_text()
        if is_kept_name(known) and (media / known).is_file():
            return known
    except FileNotFoundError:
        pass  # not made yet
    try:
        made = keep(media, _lightened(media / name), ".jpg")
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError):
        return name
    marker.write_text(made)
    return made


def _lightened(path: Path) -> bytes:
    with Image.open(path, formats=["JPEG", "PNG", "WEBP"]) as image:
        picture = ImageOps.exif_transpose(image).convert("RGB")
    picture.thumbnail((WIDTH, WIDTH))
    data = b""
    for quality in (80, 72, 64, 56, 48, 40, 30, 20):
        buffer = BytesIO()
        picture.save(buffer, "JPEG", quality=quality, progressive=True, optimize=True)
        data = buffer.getvalue()
        if len(data) <= MAX_BYTES:
            break
    return data
