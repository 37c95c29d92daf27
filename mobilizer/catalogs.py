"""Ground: the words of the interface. Reads locale/<tag>/LC_MESSAGES/<domain>.po straight, so nothing can be stale."""

from __future__ import annotations

import re
import sys
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from io import BytesIO
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po
from babel.support import NullTranslations, Translations

from mobilizer.languages import INTERFACE_LANGUAGES, MEMBER_LANGUAGES, parents

LOCALE = Path(__file__).parent / "locale"
# Of a catalog as `update` writes it: a blank line between phrases, an empty string that no line goes on with.
_PHRASE = re.compile(r"^msgid ", re.MULTILINE)
_LACKING = re.compile(r'^msgstr(?:\[\d\])? ""$(?!\n")', re.MULTILINE)


@cache
def phrases(domain: str, tag: str) -> NullTranslations:
    """The catalog of a domain ('web' or 'member') in a language, or the nearest one that has a catalog.

    Offers gettext, ngettext, pgettext and npgettext; plurals follow CLDR through the catalog's header.
    """
    for candidate in parents(tag):
        path = LOCALE / candidate.replace("-", "_") / "LC_MESSAGES" / f"{domain}.po"
        if path.exists():
            return _compiled(path, candidate, domain)
    return NullTranslations()


@dataclass(frozen=True, slots=True)
class Progress:
    """How many of a catalog's phrases are translated. Of English each is: it is what the others are made from."""

    done: int
    total: int


@cache
def progress(domain: str, tag: str) -> Progress:
    """How far a catalog is. Raises OSError where there is none."""
    path = LOCALE / tag.replace("-", "_") / "LC_MESSAGES" / f"{domain}.po"
    phrases = [block for block in path.read_text("utf-8").split("\n\n") if _PHRASE.search(block)][1:]  # but its header
    lacking = 0 if tag == "en" else sum(1 for block in phrases if _LACKING.search(block))
    return Progress(len(phrases) - lacking, len(phrases))


def _compiled(path: Path, tag: str, domain: str) -> Translations:
    with path.open("rb") as file:
        catalog = read_po(file, locale=tag.replace("-", "_"), domain=domain)
    binary = BytesIO()
    write_mo(binary, catalog)
    binary.seek(0)
    return Translations(binary, domain)


def update(pot: Path, languages: tuple[str, ...]) -> list[str]:
    """Bring a domain's catalogs up to date with a template of extracted phrases; kept translations stay.

    Returns one line for each catalog that still lacks some.
    """
    domain, lacking = pot.stem, []
    with pot.open("rb") as file:
        template = read_po(file)
    for tag in languages:
        path = LOCALE / tag.replace("-", "_") / "LC_MESSAGES" / f"{domain}.po"
        catalog = Catalog(locale=tag.replace("-", "_"), domain=domain, fuzzy=False)
        if path.exists():
            with path.open("rb") as file:
                catalog = read_po(file, locale=tag.replace("-", "_"), domain=domain)
        catalog.update(template, no_fuzzy_matching=True)
        catalog.header_comment = f"# Mobilizer: the words of “{domain}” in {tag}."
        catalog.project, catalog.version = "Mobilizer", "1"
        catalog.creation_date = catalog.revision_date = datetime(2026, 1, 1, tzinfo=UTC)  # a date is only noise here
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("wb") as file:
            write_po(file, catalog, omit_header=False, sort_output=True, ignore_obsolete=True, width=0)
        empty = sum(1 for message in catalog if message.id and not _translated(message.string))
        if empty and tag != "en":
            lacking.append(f"{path.relative_to(LOCALE)}: {empty} phrases have no translation yet")
    return lacking


def _translated(string: str | tuple[str, ...] | list[str] | None) -> bool:
    return all(bool(form) for form in (string if isinstance(string, tuple | list) else [string]))


if __name__ == "__main__":
    for line in [
        *update(Path(sys.argv[1]), INTERFACE_LANGUAGES),
        *update(Path(sys.argv[2]), MEMBER_LANGUAGES),
    ]:
        print(line)  # noqa: T201 - the answer of `make catalogs`
