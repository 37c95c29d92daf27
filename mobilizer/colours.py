"""Ground: colours. From one brand hue, shades and inks that can be read on any ground (WCAG 2.2, 1.4.3)."""

from __future__ import annotations

from colorsys import hls_to_rgb, rgb_to_hls
from functools import lru_cache

LIGHT_INK, DARK_INK = "#ffffff", "#1a0a10"
STEPS = 50


def contrast(one: str, other: str) -> float:
    """The contrast ratio of two colours written as '#rrggbb': 1 to 21."""
    lighter, darker = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def ink_on(ground: str) -> str:
    """White or near-black, whichever reads better on a ground."""
    return max(LIGHT_INK, DARK_INK, key=lambda ink: contrast(ink, ground))


@lru_cache(maxsize=256)
def readable(colour: str, ground: str, ratio: float = 4.5) -> str:
    """The colour in its own hue, made as much lighter (or darker, on a light ground) as the contrast ratio asks."""
    hue, lightness, saturation = rgb_to_hls(*(c / 255 for c in _rgb(colour)))
    towards = 1.0 if _luminance(ground) < 0.18 else 0.0
    for step in range(STEPS + 1):
        at = lightness + (towards - lightness) * step / STEPS
        shade = _spell(hls_to_rgb(hue, at, saturation))
        if contrast(shade, ground) >= ratio:
            return shade
    return ink_on(ground)


def mix(one: str, other: str, share: float) -> str:
    """`share` (0 to 1) of one colour, the rest of another."""
    red, green, blue = ((a * share + b * (1 - share)) / 255 for a, b in zip(_rgb(one), _rgb(other), strict=True))
    return _spell((red, green, blue))


def _rgb(colour: str) -> tuple[int, int, int]:
    return int(colour[1:3], 16), int(colour[3:5], 16), int(colour[5:7], 16)


def _spell(colour: tuple[float, float, float]) -> str:
    return "#" + "".join(f"{round(part * 255):02x}" for part in colour)


def _luminance(colour: str) -> float:
    red, green, blue = (c / 255 / 12.92 if c <= 10 else ((c / 255 + 0.055) / 1.055) ** 2.4 for c in _rgb(colour))
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
