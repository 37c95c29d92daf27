"""Demo: how the demo's pictures were made. Two people on the ice at dusk, drawn with Pillow alone.

The files in content/media were written once by `python -m mobilizer.demo.artwork`, which needs the program
ffmpeg to join the frames of the clips; nothing else does, so the product never asks for it.
"""

from __future__ import annotations

import math
import random
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from PIL import Image, ImageChops, ImageDraw, ImageFilter

Point = tuple[float, float]
Colour = tuple[int, int, int]
Stroke = Sequence[tuple[float, float, float]]  # x, y and half the width of a limb, in heights of a person

MEDIA = Path(__file__).parent / "content" / "media"
FRAMES_PER_SECOND = 15
CLIP_SECONDS = 9
SKY: tuple[tuple[float, Colour], ...] = (
    (0.0, (24, 18, 58)),
    (0.30, (72, 34, 98)),
    (0.46, (168, 62, 112)),
    (0.56, (240, 128, 112)),
    (0.61, (255, 196, 148)),
)
ICE: tuple[tuple[float, Colour], ...] = (
    (0.61, (246, 176, 150)),
    (0.68, (176, 104, 142)),
    (0.82, (86, 62, 124)),
    (1.0, (26, 24, 66)),
)
NIGHT: Colour = (20, 14, 40)
SCARF: Colour = (214, 36, 84)
LIGHT: Colour = (255, 226, 178)
HORIZON = 0.61

# The skater glides to the right, one leg behind her; the other stands in a long coat and reaches out.
SKATER: tuple[Stroke, ...] = (
    ((0.085, -0.86, 0.024), (0.06, -0.78, 0.052), (0.02, -0.66, 0.046), (-0.03, -0.52, 0.058)),
    ((0.035, -0.62, 0.030), (0.045, -0.55, 0.034), (0.05, -0.475, 0.036)),
    ((-0.03, -0.52, 0.060), (0.05, -0.29, 0.042), (0.01, -0.16, 0.033), (0.00, -0.035, 0.020)),
    ((-0.03, -0.52, 0.056), (-0.17, -0.42, 0.044), (-0.30, -0.40, 0.033), (-0.46, -0.42, 0.019)),
    ((0.08, -0.80, 0.030), (0.21, -0.765, 0.023), (0.31, -0.80, 0.018), (0.43, -0.845, 0.012)),
    ((0.04, -0.79, 0.030), (-0.09, -0.75, 0.023), (-0.20, -0.785, 0.017), (-0.31, -0.84, 0.010)),
    ((-0.055, -0.035, 0.011), (0.03, -0.028, 0.017), (0.085, -0.026, 0.012)),
    ((-0.44, -0.44, 0.012), (-0.475, -0.41, 0.017), (-0.495, -0.355, 0.011)),
)
SKIRT: tuple[Point, ...] = (
    (0.055, -0.64),
    (0.085, -0.475),
    (0.02, -0.43),
    (-0.10, -0.40),
    (-0.215, -0.435),
    (-0.075, -0.60),
)
FRIEND: tuple[Stroke, ...] = (
    ((0.00, -0.86, 0.025), (-0.005, -0.79, 0.056), (-0.01, -0.66, 0.052), (-0.01, -0.50, 0.066)),
    ((-0.035, -0.42, 0.042), (-0.05, -0.22, 0.036), (-0.05, -0.035, 0.023)),
    ((0.035, -0.42, 0.042), (0.055, -0.22, 0.036), (0.07, -0.035, 0.023)),
    ((0.02, -0.80, 0.032), (0.15, -0.765, 0.026), (0.26, -0.80, 0.020), (0.38, -0.845, 0.013)),
    ((-0.02, -0.80, 0.032), (-0.10, -0.69, 0.026), (-0.105, -0.58, 0.021), (-0.07, -0.49, 0.014)),
    ((-0.07, -0.02, 0.017), (0.005, -0.018, 0.013)),
    ((0.05, -0.02, 0.017), (0.125, -0.018, 0.013)),
)
COAT: tuple[Point, ...] = (
    (-0.06, -0.80),
    (0.055, -0.80),
    (0.06, -0.62),
    (0.125, -0.30),
    (0.02, -0.275),
    (-0.135, -0.30),
    (-0.065, -0.62),
)


def scene(width: int, height: int, *, apart: float, love: float, presence: float, breath: float) -> Image.Image:
    """The rink. `apart` is the gap between the hands in heights of a person, `love` the light between them (0-1),
    `presence` how much the second person is really there (0-1), `breath` a phase that moves scarf and snow."""
    w, h = width * 2, height * 2
    picture = _ground(w, h)
    tall, ground, middle = h * 0.65, h * 0.855, w * 0.5
    left = middle - tall * (apart / 2 + 0.43)
    right = middle + tall * (apart / 2 + 0.38)
    hands = (middle, ground - tall * 0.845)
    _glow(picture, hands, h * (0.34 + 0.30 * love), (232, 92, 110), 0.25 + 0.40 * love)
    _glow(picture, hands, h * (0.16 + 0.18 * love), LIGHT, 0.25 + 0.50 * love)
    _glow(picture, (middle, ground + tall * 0.16), h * 0.30, (255, 168, 140), 0.10 + 0.35 * love)
    skater = _person(w, h, (left, ground), tall, 1, SKATER, SKIRT, breath)
    friend = _person(w, h, (right, ground), tall, -1, FRIEND, COAT, breath + 1.3)
    friend.putalpha(friend.getchannel("A").point(lambda a: int(a * presence)))
    for figure in (skater, friend):
        _mirror(picture, figure, int(ground))
    for figure in (friend, skater):
        picture.paste(figure, (0, 0), figure)
    if presence < 1:
        _sparks(picture, (right, ground - tall * 0.5), tall, 1 - presence)
    _glow(picture, hands, h * 0.085, (255, 246, 226), 0.9 * love)
    _snow(picture, breath)
    return picture.resize((width, height), Image.Resampling.LANCZOS)


def table(width: int, height: int, *, warmth: float) -> Image.Image:
    """The earlier appeal's picture: a laid table under a lamp, and one seat left free."""
    w, h = width * 2, height * 2
    picture = _gradient(w, h, ((0.0, (30, 20, 44)), (0.55, (96, 44, 62)), (1.0, (44, 24, 44))))
    _glow(picture, (w * 0.5, h * 0.20), h * 0.62, (255, 200, 130), 0.55 + 0.3 * warmth)
    draw = ImageDraw.Draw(picture)
    draw.line((w * 0.5, 0, w * 0.5, h * 0.10), fill=(24, 16, 34), width=h // 120)
    draw.polygon(
        [(w * 0.455, h * 0.17), (w * 0.48, h * 0.09), (w * 0.52, h * 0.09), (w * 0.545, h * 0.17)], fill=(24, 16, 34)
    )
    for x, y, tall, hair in (
        (0.22, 0.63, 0.31, 0.10),
        (0.36, 0.58, 0.29, 0.0),
        (0.64, 0.60, 0.25, 0.06),
        (0.78, 0.63, 0.33, 0.0),
    ):
        _sitter(picture, (w * x, h * y), h * tall, hair)
    _chair(draw, (w * 0.5, h * 0.60), h * 0.30, (255, 214, 150))
    top = (w * 0.12, h * 0.56, w * 0.88, h * 0.84)
    draw.ellipse((top[0], top[1] + h * 0.03, top[2], top[3] + h * 0.03), fill=(52, 24, 40))
    draw.ellipse(top, fill=(206, 128, 96))
    for x, y in ((0.25, 0.665), (0.375, 0.625), (0.5, 0.61), (0.625, 0.625), (0.75, 0.665)):
        box = (w * x - h * 0.065, h * y, w * x + h * 0.065, h * (y + 0.048))
        draw.ellipse(box, fill=(255, 240, 216) if x == 0.5 else (242, 206, 172))
    _glow(picture, (w * 0.5, h * 0.63), h * 0.26, (255, 226, 170), 0.45 * warmth + 0.2)
    return picture.resize((width, height), Image.Resampling.LANCZOS)


# -- the rink ------------------------------------------------------------------------------------------------------


def _ground(w: int, h: int) -> Image.Image:
    picture = _gradient(w, h, (*SKY, *ICE))
    _glow(picture, (w * 0.5, h * 0.60), h * 0.75, (255, 206, 150), 0.55)
    _stars(picture)
    for seed, lift, colour in ((3, 0.155, (148, 74, 120)), (11, 0.085, (92, 48, 104))):
        ridge = _ridge(w, h, seed, lift)
        ImageDraw.Draw(picture).polygon([(0, h * HORIZON), *ridge, (w, h * HORIZON)], fill=colour)
    haze = Image.new("L", (w, h), 0)
    ImageDraw.Draw(haze).rectangle((0, h * (HORIZON - 0.012), w, h * (HORIZON + 0.012)), fill=150)
    picture.paste((255, 206, 170), (0, 0), haze.filter(ImageFilter.GaussianBlur(h * 0.02)))
    _traces(picture)
    return picture


def _gradient(w: int, h: int, stops: Sequence[tuple[float, Colour]]) -> Image.Image:
    column = Image.new("RGB", (1, h))
    for y in range(h):
        at = y / h
        below = next((i for i, stop in enumerate(stops) if stop[0] > at), len(stops) - 1)
        (low, first), (high, last) = stops[max(below - 1, 0)], stops[below]
        part = min(max((at - low) / (high - low), 0.0), 1.0) if high > low else 1.0
        column.putpixel((0, y), tuple(round(a + (b - a) * part) for a, b in zip(first, last, strict=True)))
    return column.resize((w, h))


def _ridge(w: int, h: int, seed: int, lift: float) -> list[Point]:
    chance = random.Random(seed)  # noqa: S311 - a picture, not a secret
    waves = [(chance.uniform(1, 9), chance.uniform(0, 6.3), chance.uniform(0.2, 1)) for _ in range(7)]
    ridge = []
    for step in range(161):
        x = step / 160
        peak = sum(a / f * math.sin(f * 2.1 * x * math.pi + p) for f, p, a in waves)
        jag = abs(math.sin(x * 37 + seed)) * 0.16
        ridge.append((x * w, h * (HORIZON - lift * (0.55 + 0.4 * peak / 1.2 + jag * (0.4 + abs(x - 0.5))))))
    return ridge


def _stars(picture: Image.Image) -> None:
    chance = random.Random(7)  # noqa: S311
    draw = ImageDraw.Draw(picture, "RGBA")
    w, h = picture.size
    for _ in range(90):
        x, y, r = chance.uniform(0, w), h * 0.36 * chance.random() ** 1.6, h * chance.uniform(0.0008, 0.0022)
        draw.ellipse((x - r, y - r, x + r, y + r), fill=(255, 240, 230, chance.randint(60, 190)))


def _traces(picture: Image.Image) -> None:
    """What blades have written on the ice: long thin arcs, in perspective."""
    w, h = picture.size
    layer = Image.new("RGBA", picture.size, (255, 228, 214, 0))
    draw = ImageDraw.Draw(layer)
    for x, y, rx, ry, start, end, alpha in (
        (0.32, 0.86, 0.42, 0.055, 190, 345, 92),
        (0.70, 0.80, 0.34, 0.04, 10, 150, 70),
        (0.50, 0.93, 0.60, 0.085, 200, 330, 80),
        (0.42, 0.72, 0.30, 0.022, 20, 170, 70),
        (0.18, 0.97, 0.40, 0.09, 250, 350, 62),
    ):
        box = (w * (x - rx), h * (y - ry), w * (x + rx), h * (y + ry))
        draw.arc(box, start, end, fill=(255, 232, 220, alpha), width=max(h // 420, 1))
    picture.paste(layer, (0, 0), layer.filter(ImageFilter.GaussianBlur(h / 900)))


def _snow(picture: Image.Image, breath: float) -> None:
    chance = random.Random(19)  # noqa: S311
    w, h = picture.size
    layer = Image.new("L", picture.size, 0)
    draw = ImageDraw.Draw(layer)
    for _ in range(46):
        near = chance.random()
        x = (chance.random() * w + math.sin(breath * 0.6 + near * 9) * h * 0.02) % w
        y = (chance.random() + breath * (0.012 + 0.02 * near)) % 1 * h
        r = h * (0.0018 + 0.0042 * near)
        draw.ellipse((x - r, y - r, x + r, y + r), fill=int(60 + 120 * near))
    picture.paste((255, 244, 238), (0, 0), layer.filter(ImageFilter.GaussianBlur(h * 0.0016)))


def _sparks(picture: Image.Image, centre: Point, tall: float, gone: float) -> None:
    """Where someone was only imagined, light drifts up."""
    chance = random.Random(23)  # noqa: S311
    layer = Image.new("L", picture.size, 0)
    draw = ImageDraw.Draw(layer)
    for _ in range(120):
        x = centre[0] + chance.gauss(0, 0.07) * tall
        y = centre[1] + (chance.uniform(-0.5, 0.5) - 0.35 * gone * chance.random()) * tall
        r = tall * chance.uniform(0.002, 0.006)
        draw.ellipse((x - r, y - r, x + r, y + r), fill=int(235 * math.sin(math.pi * min(gone * 0.85, 1))))
    picture.paste(LIGHT, (0, 0), layer.filter(ImageFilter.GaussianBlur(tall * 0.003)))


def _glow(picture: Image.Image, centre: Point, radius: float, colour: Colour, strength: float) -> None:
    """Add light: a soft disc, screened over what is there."""
    size = max(int(radius * 2), 2)
    disc = ImageChops.invert(Image.radial_gradient("L")).resize((size, size))
    disc = disc.point(lambda v: int(255 * (max(v - 74, 0) / 181) ** 2 * min(strength, 1)))
    box = (int(centre[0] - size / 2), int(centre[1] - size / 2))
    mask = Image.new("L", picture.size, 0)
    mask.paste(disc, box)
    light = Image.composite(Image.new("RGB", picture.size, colour), Image.new("RGB", picture.size), mask)
    picture.paste(ImageChops.screen(picture, light))


# -- people ----------------------------------------------------------------------------------------------------------


def _person(
    w: int, h: int, foot: Point, tall: float, side: int, limbs: Sequence[Stroke], dress: Sequence[Point], breath: float
) -> Image.Image:
    layer = Image.new("RGBA", (w, h), (*NIGHT, 0))
    draw = ImageDraw.Draw(layer)

    def place(x: float, y: float) -> Point:
        return foot[0] + side * x * tall, foot[1] + y * tall

    skates = limbs is SKATER
    head = (0.105, -0.925) if skates else (0.012, -0.925)
    for limb in limbs:
        _limb(draw, limb, place, tall, NIGHT)
    draw.polygon([place(x, y) for x, y in _spline(dress, closed=True)], fill=NIGHT)
    hair = ((head[0] - 0.05, -0.965, 0.024), (head[0] - 0.075, -0.97, 0.030)) if skates else _hair(head, breath)
    _limb(draw, hair, place, tall, NIGHT)
    _disc(draw, place(*head), tall * 0.055, NIGHT)
    _limb(draw, _scarf(head, breath, 1.0 if skates else 0.55), place, tall, SCARF if skates else (236, 150, 92))
    if skates:
        blade = [place(-0.085, -0.004), place(0.105, -0.004)]
        draw.line([*blade, place(0.12, -0.016)], fill=(*NIGHT, 255), width=max(int(tall * 0.008), 1))
    return layer


def _hair(head: Point, breath: float) -> Stroke:
    sway = 0.012 * math.sin(breath)
    return (
        (head[0] - 0.012, -0.945, 0.056),
        (head[0] - 0.05, -0.89, 0.042),
        (head[0] - 0.085 - sway, -0.80, 0.032),
        (head[0] - 0.10 - sway * 2, -0.70, 0.012),
    )


def _scarf(head: Point, breath: float, length: float) -> Stroke:
    x, wave = head[0] - 0.02, [0.022 * math.sin(breath + i * 1.5) for i in range(5)]
    tail = [(x - 0.05 - 0.085 * i * length, -0.85 - 0.004 * i + wave[i], 0.021 - 0.0022 * i) for i in range(5)]
    return ((x + 0.05, -0.852, 0.020), (x, -0.845, 0.026), *tail)


def _limb(
    draw: ImageDraw.ImageDraw, limb: Stroke, place: Callable[[float, float], Point], tall: float, fill: Colour
) -> None:
    """A tapered stroke along a smooth curve: discs so close that they melt together."""
    for x, y, r in _curve(limb):
        _disc(draw, place(x, y), tall * r, fill)


def _disc(draw: ImageDraw.ImageDraw, at: Point, r: float, fill: Colour) -> None:
    draw.ellipse((at[0] - r, at[1] - r, at[0] + r, at[1] + r), fill=(*fill, 255))


def _mirror(picture: Image.Image, figure: Image.Image, ground: int) -> None:
    """A figure's faint image in the ice, blurred and fading with depth."""
    w, h = picture.size
    depth = h - ground
    image = (
        figure.crop((0, ground - depth * 2, w, ground)).transpose(Image.Transpose.FLIP_TOP_BOTTOM).resize((w, depth))
    )
    fade = Image.linear_gradient("L").transpose(Image.Transpose.FLIP_TOP_BOTTOM).resize((w, depth))
    alpha = ImageChops.multiply(image.getchannel("A"), fade.point(lambda v: int(v * 0.55)))
    soft = h * 0.004
    picture.paste(image.convert("RGB"), (0, ground), alpha.filter(ImageFilter.GaussianBlur(soft)))


def _curve(points: Stroke) -> Iterator[tuple[float, float, float]]:
    """A Catmull-Rom curve through points, finely stepped."""
    line = [points[0], *points, points[-1]]
    for p, a, b, n in zip(line, line[1:], line[2:], line[3:], strict=False):
        for step in range(36):
            t = step / 36
            yield tuple(  # type: ignore[misc]
                0.5 * (2 * i + (j - o) * t + (2 * o - 5 * i + 4 * j - k) * t**2 + (3 * i - o - 3 * j + k) * t**3)
                for o, i, j, k in zip(p, a, b, n, strict=True)
            )
    yield points[-1]


def _spline(points: Sequence[Point], *, closed: bool) -> list[Point]:
    ring = [(x, y, 0.0) for x, y in (*points, *(points[:2] if closed else ()))]
    return [(x, y) for x, y, _ in _curve(ring)]


def _sitter(picture: Image.Image, at: Point, tall: float, hair: float) -> None:
    draw = ImageDraw.Draw(picture)
    x, y = at
    if hair:
        box = (x - tall * 0.23, y - tall * 1.08, x + tall * 0.23, y - tall * (0.5 - hair))
        draw.rounded_rectangle(box, tall * 0.22, fill=NIGHT)
    draw.rectangle((x - tall * 0.08, y - tall * 0.75, x + tall * 0.08, y - tall * 0.5), fill=NIGHT)
    draw.rounded_rectangle((x - tall * 0.30, y - tall * 0.62, x + tall * 0.30, y + tall * 0.4), tall * 0.26, fill=NIGHT)
    draw.ellipse((x - tall * 0.19, y - tall * 1.05, x + tall * 0.19, y - tall * 0.65), fill=NIGHT)


def _chair(draw: ImageDraw.ImageDraw, at: Point, tall: float, fill: Colour) -> None:
    x, y = at
    stroke = max(int(tall * 0.06), 2)
    draw.rounded_rectangle(
        (x - tall * 0.26, y - tall * 0.78, x + tall * 0.26, y + tall * 0.1), tall * 0.10, outline=fill, width=stroke
    )
    for part in (-0.5, 0, 0.5):
        draw.line((x + tall * 0.26 * part, y - tall * 0.76, x + tall * 0.26 * part, y), fill=fill, width=stroke // 2)


# -- files -----------------------------------------------------------------------------------------------------------


def _moment(at: float) -> dict[str, float]:
    """The story in nine seconds: they come near, the light grows, and one of them was never there."""
    near, away = _ease((at - 0.3) / 4.7), _ease((at - 6.1) / 2.0)
    return {"apart": 0.95 - 0.90 * near, "love": near * (1 - 0.8 * away), "presence": 1 - away, "breath": at * 1.9}


def _ease(part: float) -> float:
    part = min(max(part, 0.0), 1.0)
    return part * part * (3 - 2 * part)


def _clip(path: Path, frame: Callable[[float], Image.Image], seconds: int, crf: int) -> None:
    command = (
        f"ffmpeg -y -loglevel error -f rawvideo -pix_fmt rgb24 -s 640x360 -r {FRAMES_PER_SECOND} -i - "
        f"-c:v libx264 -profile:v baseline -level 3.0 -pix_fmt yuv420p -crf {crf} -preset veryslow -an "
        "-movflags +faststart -map_metadata -1"
    ).split()
    with subprocess.Popen([*command, str(path)], stdin=subprocess.PIPE) as process:  # noqa: S603
        assert process.stdin  # noqa: S101 - asked for above
        for number in range(seconds * FRAMES_PER_SECOND):
            process.stdin.write(frame(number / FRAMES_PER_SECOND).tobytes())


def main(folder: Path) -> None:
    """Write both posters and both clips."""
    poster = scene(1280, 720, apart=0.07, love=1.0, presence=1.0, breath=2.2)
    poster.save(folder / "love-always-wins.jpg", quality=86, progressive=True, optimize=True)
    table(1280, 720, warmth=1).save(folder / "a-seat-at-the-table.jpg", quality=86, progressive=True, optimize=True)
    _clip(folder / "love-always-wins.mp4", lambda at: scene(640, 360, **_moment(at)), CLIP_SECONDS, 27)
    _clip(folder / "a-seat-at-the-table.mp4", lambda at: table(640, 360, warmth=_ease(at / 3)), 4, 28)


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else MEDIA)
