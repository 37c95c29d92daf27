"""Web: the brand hue as custom properties for app.css, readable on a light and on a dark ground."""

from __future__ import annotations

from mobilizer.colours import ink_on, readable

LIGHT_GROUND = "#f4f5f8"
DARK_GROUND = "#1e2029"
ENOUGH = 5.5  # a little above 4.5, for tints beneath the text


def brand_css(hue: str) -> str:
    """`--brand` on each ground and `--brand-ink`, the text upon it."""
    light, dark = readable(hue, LIGHT_GROUND, ENOUGH), readable(hue, DARK_GROUND, ENOUGH)
    return (
        f":root {{ --brand: {light}; --brand-ink: {ink_on(light)}; }}\n"
        f"@media (prefers-color-scheme: dark) {{ :root {{ --brand: {dark}; --brand-ink: {ink_on(dark)}; }} }}\n"
    )
