"""Appeals: sheets as PO files of GNU gettext; a field's name is its context."""

from __future__ import annotations

import io

from babel.messages.catalog import Catalog
from babel.messages.pofile import PoFileError, read_po, write_po

from mobilizer.appeals.sheets import BadSheet, Sheet, Unit
from mobilizer.problems import N_, Problem


def write(sheet: Sheet) -> bytes:
    """A sheet as a PO file in UTF-8."""
    catalog = Catalog(project=sheet.slug, header_comment=f"# {sheet.slug}", fuzzy=False, charset="utf-8")
    catalog.mime_headers = [
        ("Project-Id-Version", f"{sheet.slug} 1"),  # name and version, says gettext
        ("Language", sheet.language.replace("-", "_")),
        ("MIME-Version", "1.0"),
        ("Content-Type", "text/plain; charset=utf-8"),
        ("Content-Transfer-Encoding", "8bit"),
    ]
    for unit in sheet.units:
        catalog.add(unit.source, unit.target, context=unit.name, auto_comments=[unit.note])
    out = io.BytesIO()
    write_po(out, catalog, width=0)
    return out.getvalue()


def read(data: bytes) -> Sheet:
    """The sheet in a PO file. What is marked as fuzzy is not translated yet. Raises BadSheet."""
    try:
        catalog = read_po(io.BytesIO(data), abort_invalid=True)
    except (PoFileError, ValueError, LookupError) as error:
        message = N_("The file can't be read as PO: %(why)s.")
        raise BadSheet(Problem("sheet.not_po", message, {"why": str(error)[:200]})) from None
    units = [
        Unit(str(message.context or ""), str(message.id), "" if message.fuzzy else str(message.string))
        for message in catalog
        if message.id
    ]
    language = str(catalog.locale_identifier or "").replace("_", "-")
    return Sheet(catalog.project, "", language, tuple(units))
