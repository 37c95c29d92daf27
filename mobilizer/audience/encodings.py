"""Audience: which encoding a file is in. A guess, shown and changeable: short files of names say little."""

from __future__ import annotations

import codecs
import unicodedata
from typing import IO

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


def guess_encoding(stream: IO[bytes]) -> str:
    """The likeliest encoding: by mark, else UTF-8 if it reads, else by how much the words look like words.

    Reads the stream from its beginning, up to its end where it must, a piece at a time.
    """
    stream.seek(0)
    beginning = stream.read(PEEK)
    for mark, encoding in _MARKS.items():
        if beginning.startswith(mark):
            return encoding
    if beginning.count(0) > len(beginning) // 4:
        return "utf-16-le" if beginning[1:2] == b"\0" else "utf-16-be"
    stream.seek(0)
    survey = _Survey()
    while piece := stream.read(PEEK):
        survey.take(piece)
    survey.take(b"", last=True)
    if survey.is_mostly_utf8:
        return "utf-8-sig"
    telling = bytes(survey.telling)
    found = from_bytes(telling, cp_isolation=[*_TWO_BYTES, *_ONE_BYTE]).best()
    if found and found.encoding in _TWO_BYTES:
        return str(found.encoding)
    return max(_ONE_BYTE, key=lambda encoding: _likeness(telling, encoding))


class _Survey:
    """What the whole of a file says of its encoding. `telling`: the lines that tell encodings apart, enough of them,
    for a large file may be plain ASCII for long."""

    def __init__(self) -> None:
        self.telling = bytearray()
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._begun = b""  # a line whose end is not here yet
        self._broken = 0
        self._letters = 0  # beyond ASCII

    def take(self, piece: bytes, *, last: bool = False) -> None:
        text = self._decoder.decode(piece, last)
        if not text.isascii():
            self._broken += text.count("\ufffd")
            self._letters += len(text) - len(text.encode("ascii", "ignore"))
        whole, newline, self._begun = (self._begun + piece).rpartition(b"\n")
        if last or not newline:
            # Without any line break a piece is as good as a line.
            whole, self._begun = whole + newline + self._begun, b""
        if len(self.telling) < PEEK and not whole.isascii():
            found = b"\n".join(line for line in whole.splitlines() if not line.isascii())
            self.telling += found[: PEEK - len(self.telling)] + b"\n"

    @property
    def is_mostly_utf8(self) -> bool:
        """Whether a file is UTF-8, even where a few rows came from elsewhere: those are then reported one by one."""
        return not self._broken or self._broken * 10 < self._letters


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
