"""Public: the brand hue as custom properties for public.css, readable in light and in dark."""

from __future__ import annotations

from functools import cache

from mobilizer.colours import ink_on, mix, readable

WHITE, DARK_CARD = "#ffffff", "#1e1f25"
TINT_LIGHT, TINT_DARK = 0.09, 0.2


@cache
def stylesheet(brand: str) -> str:
    """`--brand`, `--on-brand` (the text upon it) and `--brand-tint`, from a colour '#rrggbb'."""
    light, dark = readable(brand, WHITE, 5.0), readable(brand, DARK_CARD, 7.0)
    return (
        f":root{{{_properties(light, mix(light, WHITE, TINT_LIGHT))}}}\n"
        f"@media (prefers-color-scheme: dark){{:root{{{_properties(dark, mix(dark, DARK_CARD, TINT_DARK))}}}}}\n"
    )


def _properties(main: str, tint: str) -> str:
    return f"--brand:{main};--on-brand:{ink_on(main)};--brand-tint:{tint}"
