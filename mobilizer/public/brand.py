"""Public: the brand's one hue, made readable. Shades with a contrast of at least 4.5 (WCAG 2.2, 1.4.3)."""

from __future__ import annotations

from colorsys import hls_to_rgb, rgb_to_hls
from functools import cache

Colour = tuple[float, float, float]

WHITE: Colour = (1.0, 1.0, 1.0)
INK: Colour = (0.07, 0.06, 0.08)
DARK_CARD: Colour = (0.118, 0.122, 0.145)
TINT_LIGHT, TINT_DARK = 0.09, 0.2


@cache
def stylesheet(brand: str) -> str:
    """Custom properties for light and dark from a colour '#rrggbb'. Raises ValueError for anything else."""
    colour = parse(brand)
    light = readable(colour, WHITE)
    dark = readable(colour, DARK_CARD, least=7.0)
    return (
        f":root{{{_properties(light, _mix(light, WHITE, 1 - TINT_LIGHT))}}}\n"
        "@media (prefers-color-scheme: dark){"
        f":root{{{_properties(dark, _mix(dark, DARK_CARD, 1 - TINT_DARK))}}}}}\n"
    )


def parse(text: str) -> Colour:
    """'#rrggbb' as three numbers from 0 to 1. Raises ValueError."""
    if len(text) != 7 or text[0] != "#":
        raise ValueError(f"not a colour like #a5123d: {text!r}")
    red, green, blue = bytes.fromhex(text[1:])
    return red / 255, green / 255, blue / 255


def contrast(one: Colour, other: Colour) -> float:
    """The contrast ratio of two colours, 1 to 21 (WCAG 2.2)."""
    light, dark = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def readable(colour: Colour, ground: Colour, least: float = 5.0) -> Colour:
    """The colour, or the same hue as much darker or lighter as it takes to be read on `ground`."""
    hue, lightness, saturation = rgb_to_hls(*colour)
    goal = 0.0 if _luminance(ground) > 0.2 else 1.0
    for step in range(51):
        moved = hls_to_rgb(hue, lightness + (goal - lightness) * step / 50, saturation)
        if contrast(moved, ground) >= least:
            return moved
    return WHITE if goal else INK


def _properties(main: Colour, tint: Colour) -> str:
    text_on = WHITE if contrast(main, WHITE) >= contrast(main, INK) else INK
    return f"--brand:{_spell(main)};--on-brand:{_spell(text_on)};--brand-tint:{_spell(tint)}"


def _mix(one: Colour, other: Colour, share: float) -> Colour:
    red, green, blue = (a + (b - a) * share for a, b in zip(one, other, strict=True))
    return red, green, blue


def _spell(colour: Colour) -> str:
    return "#" + "".join(f"{round(part * 255):02x}" for part in colour)


def _luminance(colour: Colour) -> float:
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in colour)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
