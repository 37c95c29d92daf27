"""Appeals: the poster of a mail. A still of the film with a play mark on it, sharp on every screen and small."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

from PIL import Image, ImageChops, ImageDraw, ImageFilter, ImageOps, UnidentifiedImageError

from mobilizer.appeals.media import BadMedia, keep
from mobilizer.problems import N_, Problem

WIDTH = 1200  # shown 600 wide: two pixels for each one of the layout
MAX_BYTES = 200_000
MAX_PIXELS = 40_000_000
SMALLEST = 300

# The mark is drawn this many times larger and scaled down: smooth edges.
OVERSAMPLE = 4
# Diameter of the mark as a share of the poster's height: legible when a phone shows the poster 320 wide.
MARK = 0.30
INK = (18, 16, 24)


@dataclass(frozen=True, slots=True)
class MailPoster:
    """A composed poster in the media folder, with its size in pixels as it should be *shown* (half of what it has)."""

    name: str
    width: int
    height: int


def compose_poster(media_folder: Path, poster: str) -> MailPoster:
    """The mail's form of a poster of the media folder; made at first use, the same ever after. Raises BadMedia.

    The composed file is kept under its own content's name; a small marker file beside it spares composing again.
    """
    marker = media_folder / f".{poster}.composed"
    try:
        known, shown_width, shown_height = marker.read_text().split()
        if (media_folder / known).exists():
            return MailPoster(known, int(shown_width), int(shown_height))
    except (FileNotFoundError, ValueError):
        pass  # not composed yet
    try:
        data = (media_folder / poster).read_bytes()
    except (FileNotFoundError, IsADirectoryError):
        message = N_("The poster's file is gone from the media folder. Upload it again.")
        raise BadMedia(Problem("poster.gone", message, where="poster")) from None
    composed = with_play_mark(data)
    name = keep(media_folder, composed, ".jpg")
    width, height = poster_size(composed)
    marker.write_text(f"{name} {width // 2} {height // 2}")
    return MailPoster(name, width // 2, height // 2)


def with_play_mark(data: bytes) -> bytes:
    """A progressive JPEG, 1200 pixels wide and under 200 KB, of a picture with a play mark in its middle.

    Raises BadMedia for what is not a picture, is far too large (a decompression bomb) or too small to be sharp.
    """
    picture = _fit(_open(data))
    _stamp(picture)
    return _compress(picture)


def reencoded(data: bytes) -> bytes:
    """A picture as it may lie in the open: a JPEG of its own, upright, at most 1200 wide, under 200 KB, and nothing
    of what a camera wrote into it (place, time, owner). Raises BadMedia as `with_play_mark`."""
    picture = _flat(_open(data))
    picture.thumbnail((WIDTH, WIDTH), Image.Resampling.LANCZOS)
    return _compress(picture)


def poster_size(data: bytes) -> tuple[int, int]:
    """(width, height) of a picture in pixels. Raises BadMedia."""
    width, height = _open(data).size
    return width, height


def _open(data: bytes) -> Image.Image:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)  # the size is judged below
            picture = Image.open(BytesIO(data), formats=["JPEG", "PNG", "WEBP"])
            _judge(picture)
            picture.load()
            ImageOps.exif_transpose(picture, in_place=True)  # upright; raises for broken remarks of a camera
    except (UnidentifiedImageError, Image.DecompressionBombError, OSError, SyntaxError, ValueError) as error:
        if isinstance(error, BadMedia):
            raise
        message = N_("The poster is not a picture that can be read, or it is damaged. Give a JPEG, PNG or WebP file.")
        raise BadMedia(Problem("poster.not_a_picture", message, where="poster")) from None
    return picture


def _judge(picture: Image.Image) -> None:
    width, height = picture.size
    if width * height > MAX_PIXELS:
        message = N_(
            "The poster is far larger than a mail needs (pixels: %(width)d × %(height)d). 1200 × 675 is ideal."
        )
        raise BadMedia(Problem("poster.too_large", message, {"width": width, "height": height}, where="poster"))
    if width < SMALLEST or height < SMALLEST // 2:
        message = N_(
            "The poster is so small that it would look blurred (pixels: %(width)d × %(height)d). 1200 × 675 is ideal."
        )
        raise BadMedia(Problem("poster.too_small", message, {"width": width, "height": height}, where="poster"))


def _fit(picture: Image.Image) -> Image.Image:
    """1200 wide; cropped round the middle to between 2:1 and 1:1."""
    picture = _flat(picture)
    width, height = picture.size
    shape = min(max(height / width, 0.5), 1.0)
    return ImageOps.fit(picture, (WIDTH, 2 * round(WIDTH * shape / 2)), Image.Resampling.LANCZOS)


def _flat(picture: Image.Image) -> Image.Image:
    """In plain RGB on white."""
    if "transparency" in picture.info or picture.mode in ("RGBA", "LA", "PA"):
        layer = picture.convert("RGBA")
        picture = Image.new("RGBA", layer.size, "white")
        picture.alpha_composite(layer)
    return picture.convert("RGB")


def _stamp(picture: Image.Image) -> None:
    """Draw the mark: a soft shadow, a dark disc with a white ring, a white triangle with rounded corners."""
    size = round(picture.height * MARK)
    box = round(size * 1.6)  # room for the shadow
    big, middle, radius = box * OVERSAMPLE, box * OVERSAMPLE / 2, size * OVERSAMPLE / 2
    corner = ((picture.width - box) // 2, (picture.height - box) // 2)
    disc, ring, triangle = (_blank(big) for _ in range(3))
    ImageDraw.Draw(disc).ellipse(_round(middle, radius), fill=255)
    ring_width = radius * 0.075
    ImageDraw.Draw(ring).ellipse(_round(middle, radius), fill=255)
    ImageDraw.Draw(ring).ellipse(_round(middle, radius - ring_width), fill=0)
    _triangle(triangle, middle, radius * 0.5)
    shadow = disc.resize((box, box), Image.Resampling.LANCZOS).filter(ImageFilter.GaussianBlur(size * 0.09))
    _lay(picture, corner, shadow, INK, 0.45)
    _lay(picture, corner, disc.resize((box, box), Image.Resampling.LANCZOS), INK, 0.66)
    white = ImageChops.lighter(ring, triangle).resize((box, box), Image.Resampling.LANCZOS)
    _lay(picture, corner, white, (255, 255, 255), 0.97)


def _triangle(mask: Image.Image, middle: float, reach: float) -> None:
    """A triangle whose three corners lie on a circle round the middle, so that it looks centred; corners rounded."""
    draw, soft = ImageDraw.Draw(mask), reach * 0.16
    inner = reach - soft
    points = [
        (middle + inner, middle),
        (middle - inner * 0.5, middle - inner * 0.866),
        (middle - inner * 0.5, middle + inner * 0.866),
    ]
    draw.polygon(points, fill=255)
    for (x, y), (to_x, to_y) in zip(points, points[1:] + points[:1], strict=True):
        draw.line([(x, y), (to_x, to_y)], fill=255, width=round(soft * 2))
        draw.ellipse((x - soft, y - soft, x + soft, y + soft), fill=255)


def _lay(
    picture: Image.Image, corner: tuple[int, int], mask: Image.Image, colour: tuple[int, int, int], strength: float
) -> None:
    picture.paste(colour, corner, mask.point([round(value * strength) for value in range(256)]))


def _blank(size: int) -> Image.Image:
    return Image.new("L", (size, size), 0)


def _round(middle: float, radius: float) -> tuple[float, float, float, float]:
    return (middle - radius, middle - radius, middle + radius, middle + radius)


def _compress(picture: Image.Image) -> bytes:
    data = b""
    for quality, blur in ((86, 0), (80, 0), (74, 0), (68, 0), (60, 0), (50, 0), (40, 0), (30, 1), (20, 2)):
        # What is still too big is noise (grain, rain): softened it is a far smaller file and looks no worse.
        soft = picture.filter(ImageFilter.GaussianBlur(blur)) if blur else picture
        buffer = BytesIO()
        soft.save(buffer, "JPEG", quality=quality, progressive=True, optimize=True, subsampling="4:2:0")
        data = buffer.getvalue()
        if len(data) < MAX_BYTES:
            break
    return data
