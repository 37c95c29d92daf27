"""Audience: which encoding a file is in. A guess, shown and changeable: short files of names say little."""

from __future__ import annotations

import codecs
import unicodedata
from typing import IO

PEEK = 256_000
SURVEYED = 256_000_000  # bytes: letters that come later than that tell nothing new

# Python's name of an encoding, and what people call it. The order is that of a choice on a page.
ENCODINGS = {
    "utf-8-sig": "UTF-8",
    "utf-16": "UTF-16",
    "cp1252": "Western (Windows-1252)",
    "cp1250": "Central European (Windows-1250)",
    "cp1251": "Cyrillic (Windows-1251)",
    "koi8_u": "Cyrillic (KOI8-R, KOI8-U)",
    "cp1256": "Arabic (Windows-1256)",
    "iso8859_6": "Arabic (ISO 8859-6)",
    "cp1253": "Greek (Windows-1253)",
    "cp1255": "Hebrew (Windows-1255)",
    "cp1254": "Turkish (Windows-1254)",
    "cp1257": "Baltic (Windows-1257)",
    "cp1258": "Vietnamese (Windows-1258)",
    "cp874": "Thai (Windows-874)",
    "cp932": "Japanese (Shift JIS)",
    "euc_jp": "Japanese (EUC-JP)",
    "gb18030": "Chinese, simplified (GB 18030)",
    "big5hkscs": "Chinese, traditional (Big5)",
    "cp949": "Korean (Windows-949)",
    "mac_roman": "Western (Mac Roman)",
    "cp850": "Western (DOS 850)",
}

_MARKS = {codecs.BOM_UTF8: "utf-8-sig", codecs.BOM_UTF16_LE: "utf-16", codecs.BOM_UTF16_BE: "utf-16"}

_WESTERN = "áàâãäåæçéèêëíîïñóòôõöøúùûüßÁÀÂÇÉÈÊÍÎÑÓÔÖØÚÜÄÅ’“”«»¿¡ºª"
_RUSSIAN = "оеаинтсрвлкмдпуяыьгзбчйёіїАВИМСКПЕД"
_ARABIC = "ايلنمورةتبعدسهحفأكقجشصزطىإخء"
_KANA = (
    "あいうえおかがきくけこごさしじすせそたちつてとなにのはひふまみめもやゆよらりるれわん"
    "アイウエオカキクケコサシスタトナニノハフマミムメラリルレロンー"
)
_JAPANESE = _KANA + (
    "山田中村井藤木本川小林佐高橋上野口石原子美一太郎三浦谷島崎松清和内加渡辺斉齋吉伊前岡後近青坂西福池阿部森永大平健郎介真由香恵里奈子菜愛花優"
    "翔蓮悠斗結衣陽葵鈴次雄男夫幸正明智久史名姓東京県市区町都府氏語国日"
)
_SIMPLIFIED = (
    "王李张刘陈杨黄赵吴周徐孙马朱胡林郭何高罗郑梁谢宋唐许韩冯邓曹彭曾肖田董袁潘于蒋蔡余杜叶程苏魏吕丁任沈伟芳娜秀英敏静丽强磊军洋勇艳杰娟涛明超"
    "平刚桂兰红玉霞鹏辉文华建国志海燕小雪婷梅晓东新姓名邮箱电话地址城市省区县语言中北京上广"
)
_TRADITIONAL = (
    "陳林黃張李王吳劉蔡楊許鄭謝洪郭邱曾廖賴徐周葉蘇莊呂江何蕭羅高潘簡朱鍾游彭詹胡施沈余盧梁趙顏柯翁魏孫戴大文小明淑芬志豪美玲雅婷家怡俊宏建華"
    "國偉英秀麗惠珍玉姓名電郵話地址縣市區語言中台灣香港"
)
_HANGUL = (
    "김이박최정강조윤장임한오서신권황안송류전홍고문양손배백허유남심노하곽성차주우구민지준영수현진희철미은경혜연아원태호재동상숙자순옥선"
    "일메름소나라언어국가도시구군"
)
# The letters that make up most words, or most names, in an encoding's languages; others count less, signs against it.
_COMMON = {
    "cp1252": _WESTERN,
    "cp1250": "áéíóúýąćęłńśźżčďěňřšťůžôľőűöüäăâîşţŁŚŻŹČŘŠŽÁÉÓŐ„”",
    "cp1251": _RUSSIAN,
    "koi8_u": _RUSSIAN,
    "cp1256": _ARABIC,
    "iso8859_6": _ARABIC,
    "cp1253": "αοιετσνηυρκπμλςόίάέήύώΑΚΜΠΓΔΣΕ",
    "cp1255": "יוהלאמתרבנשדעםחקכפסןצזט",
    "cp1254": "ıişğçöüâİŞĞÇÖÜ",
    "cp874": "านรมยกสวลดตทปพคงชอ่้ีัิื",
    "mac_roman": _WESTERN,
    "cp850": _WESTERN,
    "cp932": _JAPANESE,
    "euc_jp": _JAPANESE,
    "gb18030": _SIMPLIFIED,
    "big5hkscs": _TRADITIONAL,
    "cp949": _HANGUL,
}
_EAST_ASIAN = frozenset({"cp932", "euc_jp", "gb18030", "big5hkscs", "cp949"})
_IDEOGRAPHS = ("CJK UNIFIED", "HIRAGANA", "KATAKANA")
_ALPHABETS: dict[str, str | tuple[str, ...]] = {
    "cp1251": "CYRILLIC", "koi8_u": "CYRILLIC", "cp1256": "ARABIC", "iso8859_6": "ARABIC", "cp1253": "GREEK",
    "cp1255": "HEBREW", "cp874": "THAI", "cp932": _IDEOGRAPHS, "euc_jp": _IDEOGRAPHS, "gb18030": "CJK UNIFIED",
    "big5hkscs": "CJK UNIFIED", "cp949": "HANGUL",
}  # fmt: skip


def guess_encoding(stream: IO[bytes]) -> str:
    """The likeliest encoding: by mark, else UTF-8 if it reads, else by how much the words look like words.

    Reads the stream from its beginning, up to SURVEYED bytes where it must, a piece at a time.
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
    while stream.tell() < SURVEYED and (piece := stream.read(PEEK)):
        survey.take(piece)
    survey.take(b"", last=True)
    if survey.is_mostly_utf8:
        return "utf-8-sig"
    telling = bytes(survey.telling)
    return max(_COMMON, key=lambda encoding: _likeness(telling, encoding))


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
    """How much text in an encoding looks like words of its languages: more is likelier."""
    common, alphabet = _COMMON[encoding], _ALPHABETS.get(encoding, "LATIN")
    # A letter of two bytes weighs as much as the two letters that others read there.
    weight = 3 if encoding in _EAST_ASIAN else 1
    score, before, run = 0, "", 0
    for letter in data.decode(encoding, "replace"):
        # Nor does one word mix alphabets.
        mixed = before.isalpha() and letter.isalpha() and before.isascii() != letter.isascii()
        score -= 3 if mixed and alphabet != "LATIN" else 0
        run = 0 if letter.isascii() else run + 1
        if run:
            usual = 1 if unicodedata.name(letter, "").startswith(alphabet) else -2
            score += (2 if letter in common else usual) * weight
            # No word goes on in capitals after a small letter, as words in the wrong encoding do.
            score -= 3 if letter.isupper() and before.islower() else 0
            # Latin letters with marks stand alone or in pairs; other alphabets have nothing else.
            score -= 3 if run > 2 and alphabet == "LATIN" else 0
        before = letter
    return score
