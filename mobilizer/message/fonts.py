"""Message: fonts. No font is fetched: each script gets the best of what its readers' devices already have."""

from __future__ import annotations

_LATIN = "-apple-system, BlinkMacSystemFont, 'Segoe UI', Roboto, 'Helvetica Neue', Arial, sans-serif"
_STACKS = {
    "Arab": "'Segoe UI', 'Geeza Pro', 'Noto Sans Arabic', Tahoma, Arial, sans-serif",
    "Beng": "'Nirmala UI', 'Bangla Sangam MN', 'Noto Sans Bengali', Vrinda, sans-serif",
    "Deva": "'Nirmala UI', 'Kohinoor Devanagari', 'Noto Sans Devanagari', Mangal, sans-serif",
    "Ethi": "Ebrima, Kefa, 'Noto Sans Ethiopic', Nyala, sans-serif",
    "Hans": "'PingFang SC', 'Microsoft YaHei', 'Noto Sans CJK SC', 'Noto Sans SC', sans-serif",
    "Hant": "'PingFang TC', 'Microsoft JhengHei', 'Noto Sans CJK TC', 'Noto Sans TC', sans-serif",
    "Hebr": "'Segoe UI', 'Arial Hebrew', 'Noto Sans Hebrew', Arial, sans-serif",
    "Jpan": "'Hiragino Sans', 'Yu Gothic', Meiryo, 'Noto Sans CJK JP', 'Noto Sans JP', sans-serif",
    "Kore": "'Apple SD Gothic Neo', 'Malgun Gothic', 'Noto Sans CJK KR', 'Noto Sans KR', sans-serif",
    "Thai": "'Leelawadee UI', Thonburi, 'Noto Sans Thai', Tahoma, sans-serif",
}
# Scripts whose letters stand taller or join below the line need more air between lines.
_TALL = frozenset({"Arab", "Beng", "Deva", "Thai", "Ethi"})


def font_stack(script: str) -> str:
    """The CSS font-family of a script (ISO 15924)."""
    return _STACKS.get(script, _LATIN)


def line_height(script: str) -> str:
    """The CSS line-height of running text."""
    return "1.75" if script in _TALL else "1.6"
