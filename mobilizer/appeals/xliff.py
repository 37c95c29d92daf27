"""Appeals: sheets as XLIFF 2 (ISO 21720), what tools for translators exchange.

A field is a unit with one segment; a merge tag is a placeholder whose words are among the unit's original data, so that
a tool keeps it as it is. Tools split segments and move placeholders: on the way back they are joined and filled in.
"""

from __future__ import annotations

import io
import re
from xml.etree import ElementTree as Tree

from mobilizer.appeals.sheets import BadSheet, Sheet, Unit
from mobilizer.languages import UnknownLanguage, canonical
from mobilizer.message.tags import tags_in
from mobilizer.problems import N_, Problem

SPACE = "urn:oasis:names:tc:xliff:document:2.0"
VERSIONS = ("2.0", "2.1", "2.2")
_XML_SPACE = "{http://www.w3.org/XML/1998/namespace}space"
# What XML 1.0 has no way to write; nobody types it.
_UNWRITABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff\ud800-\udfff]")


def write(sheet: Sheet) -> bytes:
    """A sheet as an XLIFF 2.0 document."""
    head = {"xmlns": SPACE, "version": "2.0", "srcLang": sheet.source_language, "trgLang": sheet.language}
    root = Tree.Element("xliff", head)
    file = Tree.SubElement(root, "file", {"id": sheet.slug})
    file.text = "\n"
    for unit in sheet.units:
        _write_unit(file, unit)
    out = io.BytesIO()
    Tree.ElementTree(root).write(out, encoding="utf-8", xml_declaration=True)
    return out.getvalue() + b"\n"


def read(data: bytes) -> Sheet:
    """The sheet in an XLIFF 2 document. Raises BadSheet."""
    root = _parsed(data)
    if root.tag != f"{{{SPACE}}}xliff" or root.get("version") not in VERSIONS:
        message = N_("This is not XLIFF 2. Ask your tool for version 2.0; older versions can't be read.")
        raise BadSheet(Problem("sheet.not_xliff", message))
    file = root.find(_named("file"))
    if file is None:
        message = N_("The file has no units to read.")
        raise BadSheet(Problem("sheet.no_units", message))
    try:
        units = tuple(_read_unit(unit) for unit in file.iter(_named("unit")))
    except RecursionError:
        raise _unreadable("nested too deep") from None
    except (ValueError, OverflowError) as error:
        raise error if isinstance(error, BadSheet) else _unreadable(str(error)) from None
    return Sheet(file.get("id", ""), _tag(root.get("srcLang", "")), _tag(root.get("trgLang", "")), units)


def _write_unit(file: Tree.Element, unit: Unit) -> None:
    written = Tree.SubElement(file, "unit", {"id": unit.name, _XML_SPACE: "preserve"})
    written.tail = "\n"
    if unit.note:
        Tree.SubElement(Tree.SubElement(written, "notes"), "note").text = _writable(unit.note)
    spelled = list(dict.fromkeys(_tags(unit.source) + _tags(unit.target)))
    if spelled:
        original = Tree.SubElement(written, "originalData")
        for number, tag in enumerate(spelled, start=1):
            Tree.SubElement(original, "data", {"id": f"d{number}"}).text = tag
    state = "translated" if unit.target else "initial"
    segment = Tree.SubElement(written, "segment", {"state": state})
    _write_words(Tree.SubElement(segment, "source"), unit.source, spelled)
    if unit.target:
        _write_words(Tree.SubElement(segment, "target"), unit.target, spelled)


def _tags(words: str) -> list[str]:
    return [words[tag.start : tag.end] for tag in tags_in(words)]


def _write_words(element: Tree.Element, words: str, spelled: list[str]) -> None:
    """Words, each merge tag a placeholder. The same tag has the same number in source and target."""
    element.set(_XML_SPACE, "preserve")
    element.text, at, last = "", 0, None
    times: dict[str, int] = {}
    for tag in tags_in(words):
        between, written = _writable(words[at : tag.start]), words[tag.start : tag.end]
        if last is None:
            element.text = between
        else:
            last.tail = between
        times[written] = times.get(written, 0) + 1
        number = f"{spelled.index(written) + 1}.{times[written]}"
        attributes = {"id": number, "dataRef": f"d{spelled.index(written) + 1}", "disp": written}
        last, at = Tree.SubElement(element, "ph", attributes), tag.end
    if last is None:
        element.text = _writable(words[at:])
    else:
        last.tail = _writable(words[at:])


def _writable(words: str) -> str:
    return _UNWRITABLE.sub("", words)


class _NoDoctype(Tree.TreeBuilder):
    """Entities are where XML bites, and a document type is where they are declared. We need neither."""

    def doctype(self, *_declared: str | None) -> None:
        message = N_("The file declares a document type (DOCTYPE). Files of translators have none: it is refused.")
        raise BadSheet(Problem("sheet.doctype", message))


def _parsed(data: bytes) -> Tree.Element:
    try:
        parser = Tree.XMLParser(target=_NoDoctype())  # noqa: S314 - no entity can be declared
        parser.feed(data)
        root: Tree.Element = parser.close()
    except (Tree.ParseError, LookupError, ValueError) as error:
        raise error if isinstance(error, BadSheet) else _unreadable(str(error)) from None
    return root


def _unreadable(why: str) -> BadSheet:
    message = N_("The file can't be read as XML: %(why)s.")
    return BadSheet(Problem("sheet.not_xml", message, {"why": why[:200]}))


def _read_unit(unit: Tree.Element) -> Unit:
    data = {one.get("id", ""): one.text or "" for one in unit.iter(_named("data"))}
    name, source, targets = unit.get("id", ""), "", list[str | None]()
    for part in unit:
        if part.tag in (_named("segment"), _named("ignorable")):
            words = _read_words(part.find(_named("source")), data)
            target = part.find(_named("target"))
            source += words
            if target is not None:
                targets.append(_read_words(target, data))
            else:
                targets.append(words if part.tag == _named("ignorable") else None)
    if any(targets) and None in targets:
        message = N_("Only some of the segments of “%(field)s” are translated. Translate all of them, or none.")
        raise BadSheet(Problem("sheet.half_translated", message, {"field": name[:60]}, where=name[:60]))
    return Unit(name, source, "".join(target or "" for target in targets))


def _read_words(element: Tree.Element | None, data: dict[str, str]) -> str:
    """The words of a source or target, with what stands for codes put back (XLIFF 2.0, 4.2.3)."""
    if element is None:
        return ""
    words = element.text or ""
    for code in element:
        kind = code.tag.rpartition("}")[2]
        if kind == "cp":
            words += chr(int(code.get("hex", "20"), 16))
        elif kind == "ph":
            words += data.get(code.get("dataRef", ""), code.get("disp", ""))
        else:
            inside = _read_words(code, data)
            words += data.get(code.get("dataRefStart", code.get("dataRef", "")), "") + inside
            words += data.get(code.get("dataRefEnd", ""), "")
        words += code.tail or ""
    return words


def _named(name: str) -> str:
    return f"{{{SPACE}}}{name}"


def _tag(said: str) -> str:
    """A language as we write it; as it is said where we don't know it."""
    try:
        return canonical(said)
    except UnknownLanguage:
        return said
