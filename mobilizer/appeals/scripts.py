"""Appeals: which script a text is written in, to catch a translation that stands in the wrong language's place."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from functools import cache

from mobilizer.languages import language

FEWEST = 8  # letters; below that a text says too little ("OK", a name)

# ISO 15924 code of a language -> the Unicode scripts it is written with; a code that is not here is one script.
_TOGETHER = {
    "Jpan": {"Hani", "Hira", "Kana"},
    "Kore": {"Hang", "Hani"},
    "Hans": {"Hani"},
    "Hant": {"Hani"},
    "Aran": {"Arab"},
}
# The first word of a letter's Unicode name -> its script.
_BY_NAME = {
    "LATIN": "Latn",
    "CYRILLIC": "Cyrl",
    "ARABIC": "Arab",
    "GREEK": "Grek",
    "HEBREW": "Hebr",
    "CJK": "Hani",
    "HIRAGANA": "Hira",
    "KATAKANA": "Kana",
    "HANGUL": "Hang",
    "DEVANAGARI": "Deva",
    "BENGALI": "Beng",
    "THAI": "Thai",
    "ARMENIAN": "Armn",
    "GEORGIAN": "Geor",
    "ETHIOPIC": "Ethi",
    "TAMIL": "Taml",
    "TELUGU": "Telu",
    "KANNADA": "Knda",
    "MALAYALAM": "Mlym",
    "GUJARATI": "Gujr",
    "GURMUKHI": "Guru",
    "SINHALA": "Sinh",
    "KHMER": "Khmr",
    "LAO": "Laoo",
    "MYANMAR": "Mymr",
    "TIBETAN": "Tibt",
}
# An address is looked for where a word begins, not at each of its letters: some scripts write without blanks.
NOT_WORDS = re.compile(r"\{\{.*?\}\}|https?://\S+|(?<![^\s}])[^\s@]+@\S+", re.DOTALL)


def expected_scripts(tag: str) -> frozenset[str]:
    """The scripts that a language is written with. Raises languages.UnknownLanguage."""
    script = language(tag).script
    return frozenset(_TOGETHER.get(script, {script}))


def foreign_script(text: str, tag: str) -> str | None:
    """The script that most of a text is in, if that is none of the language's; merge tags and links don't count."""
    counted = Counter(script for c in NOT_WORDS.sub(" ", text) if (script := _script(c)))
    expected = expected_scripts(tag)
    if counted.total() < FEWEST or not expected & set(_BY_NAME.values()):
        return None
    script, times = counted.most_common(1)[0]
    return script if script not in expected and times * 2 > counted.total() else None


@cache
def _script(character: str) -> str | None:
    if not character.isalpha():
        return None
    return _BY_NAME.get(unicodedata.name(character, "").split(" ")[0])
