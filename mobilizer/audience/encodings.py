"""Audience: which encoding a file is in. A guess, shown and changeable: short files of names say little."""

from __future__ import annotations

import codecs
import unicodedata

from charset_normalizer import from_bytes

PEEK = 256_000

# Python's name of an encoding, and what people call it. The order is that of a choice on a page.
ENCODINGS = {
    "utf-8-sig": "UTF-8",
    "utf-16": "UTF-16",
    "cp1252": "Western (Windows-1252)",
    "cp1250": "Central European (Windows-1250)",
    "cp1251": "Cyrillic (Windows-1251)",
    "cp1256": "Arabic (Windows-1256)",
    "cp1253": "Greek (Windows-1253)",
    "cp1255": "Hebrew (Windows-1255)",
    "cp1254": "Turkish (Windows-1254)",
    "cp932": "Japanese (Shift JIS)",
    "gb18030": "Chinese (GB 18030)",
    "cp949": "Korean (Windows-949)",
    "mac_roman": "Western (Mac Roman)",
}

_MARKS = {codecs.BOM_UTF8: "utf-8-sig", codecs.BOM_UTF16_LE: "utf-16", codecs.BOM_UTF16_BE: "utf-16"}

# Offered to charset-normalizer only: among all encodings that exist it read Arabic as Korean.
_TWO_BYTES = ("cp932", "gb18030", "cp949")
_WESTERN = "áàâãäåæçéèêëíîïñóòôõöøúùûüßÁÀÂÇÉÈÊÍÎÑÓÔÖØÚÜÄÅ’“”«»¿¡ºª"
# The letters that make up most words in an encoding's languages; other letters count less, signs against it.
_ONE_BYTE = {
    "cp1252": _WESTERN,
    "cp1250": "áéíóúýąćęłńśźżčďěňřšťůžôľőűöüäăâîşţŁŚŻŹČŘŠŽÁÉÓŐ„”",
    "cp1251": "оеаинтсрвлкмдпуяыьгзбчйёіїАВИМСКПЕД",
    "cp1256": "ايلنمورةتبعدسهحفأكقجشصزطىإخء",
    "cp1253": "αοιετσνηυρκπμλςόίάέήύώΑΚΜΠΓΔΣΕ",
    "cp1255": "יוהלאמתרבנשדעםחקכפסןצזט",
    "cp1254": "ıişğçöüâİŞĞÇÖÜ",
    "mac_roman": _WESTERN,
}
_ALPHABETS = {"cp1251": "CYRILLIC", "cp1256": "ARABIC", "cp1253": "GREEK", "cp1255": "HEBREW"}


def guess_encoding(data: bytes) -> str:
    """The likeliest encoding: by mark, else UTF-8 if it reads, else by how much the words look like words."""
    for mark, encoding in _MARKS.items():
        if data.startswith(mark):
            return encoding
    beginning = data[:PEEK]
    if beginning.count(0) > len(beginning) // 4:
        return "utf-16-le" if data[1:2] == b"\0" else "utf-16-be"
    if _is_mostly_utf8(data):
        return "utf-8-sig"
    telling = _telling(data)
    found = from_bytes(telling, cp_isolation=[*_TWO_BYTES, *_ONE_BYTE]).best()
    if found and found.encoding in _TWO_BYTES:
        return str(found.encoding)
    return max(_ONE_BYTE, key=lambda encoding: _likeness(telling, encoding))


def _is_mostly_utf8(data: bytes) -> bool:
    """Whether a file is UTF-8, even where a few rows came from elsewhere: those are then reported one by one."""
    text = data.decode("utf-8", "replace")
    broken = text.count("\ufffd")
    return not broken or broken * 10 < sum(1 for c in text if ord(c) > 127)


def _telling(data: bytes) -> bytes:
    """The lines that tell encodings apart, enough of them: a large file may be plain ASCII for long."""
    return b"\n".join(line for line in data.splitlines() if not line.isascii())[:PEEK]


def _likeness(data: bytes, encoding: str) -> int:
    common, alphabet = _ONE_BYTE[encoding], _ALPHABETS.get(encoding, "LATIN")
    score, before, run = 0, "", 0
    for letter in data.decode(encoding, "replace"):
        # Nor does one word mix alphabets.
        mixed = before.isalpha() and letter.isalpha() and before.isascii() != letter.isascii()
        score -= 3 if mixed and alphabet != "LATIN" else 0
        run = 0 if letter.isascii() else run + 1
        if run:
            usual = 1 if unicodedata.name(letter, "").startswith(alphabet) else -2
            score += 2 if letter in common else usual
            # No word goes on in capitals after a small letter, as words in the wrong encoding do.
            score -= 3 if letter.isupper() and before.islower() else 0
            # Latin letters with marks stand alone or in pairs; other alphabets have nothing else.
            score -= 3 if run > 2 and alphabet == "LATIN" else 0
        before = letter
    return score
