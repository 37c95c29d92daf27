"""Web: the brand hue, made readable. Shades of it that keep WCAG's 4.5:1 on a light and on a dark ground."""

from __future__ import annotations

import colorsys

Colour = tuple[float, float, float]

LIGHT_GROUND = "#f4f5f8"
DARK_GROUND = "#1e2029"
STEPS = 40
ENOUGH = 5.5  # a little above 4.5, for tints beneath the text


def brand_css(hue: str) -> str:
    """Custom properties for app.css: `--brand` on each ground and `--brand-ink`, the text upon it."""
    light, dark = readable(hue, LIGHT_GROUND), readable(hue, DARK_GROUND)
    return (
        f":root {{ --brand: {light}; --brand-ink: {ink(light)}; }}\n"
        f"@media (prefers-color-scheme: dark) {{ :root {{ --brand: {dark}; --brand-ink: {ink(dark)}; }} }}\n"
    )


def readable(hue: str, ground: str) -> str:
    """The hue itself where it can be read on a ground, else the same hue darker or lighter until it can."""
    tone, light, vivid = colorsys.rgb_to_hls(*_rgb(hue))
    end = 0.0 if _luminance(_rgb(ground)) > 0.2 else 1.0
    for step in range(STEPS):
        shade = _hex(colorsys.hls_to_rgb(tone, light + (end - light) * step / STEPS, vivid))
        if contrast(shade, ground) >= ENOUGH:
            return shade
    return _hex((end, end, end))


def ink(hue: str) -> str:
    """White or near-black, whichever reads better on a hue."""
    return max("#ffffff", "#16060a", key=lambda text: contrast(text, hue))


def contrast(one: str, other: str) -> float:
    """Contrast ratio of two colours, 1 to 21 (WCAG 2.2, relative luminance)."""
    low, high = sorted((_luminance(_rgb(one)), _luminance(_rgb(other))))
    return (high + 0.05) / (low + 0.05)


def _rgb(text: str) -> Colour:
    red, green, blue = (int(text[at : at + 2], 16) / 255 for at in (1, 3, 5))
    return red, green, blue


def _hex(colour: Colour) -> str:
    return "#" + "".join(f"{round(part * 255):02x}" for part in colour)


def _luminance(colour: Colour) -> float:
    red, green, blue = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in colour)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
