"""House: the catalogs. Every phrase of the sources is in each, translated whole, with the same placeholders."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

import pytest
from babel.messages.catalog import Catalog, Message
from babel.messages.extract import DEFAULT_KEYWORDS, extract_from_dir
from babel.messages.frontend import parse_keywords, parse_mapping_cfg
from babel.messages.plurals import get_plural
from babel.messages.pofile import read_po

from mobilizer import catalogs
from mobilizer.catalogs import LOCALE, Progress, progress
from mobilizer.languages import INTERFACE_LANGUAGES, MEMBER_LANGUAGES
from tests.house.reading import ROOT

SOURCE_LANGUAGE = "en"
CATALOGS = [*(("web", tag) for tag in INTERFACE_LANGUAGES), *(("member", tag) for tag in MEMBER_LANGUAGES)]
# A form for exactly one, two or none may leave the number out: "one person".
COUNTS = {"n", "num", "count"}
PLACEHOLDER = re.compile(r"%\((\w+)\)([#0 +-]*\d*(?:\.\d+)?[a-zA-Z])|%%|(%)|(\{+[^{}\n]*\}+)")

Phrase = tuple[str, str | tuple[str, ...]]


@cache
def sources() -> dict[str, list[str]]:
    """The folders that each domain's words are extracted from: what `make catalogs` reads, and how."""
    recipe = (ROOT / "Makefile").read_text("utf-8")
    return {domain: folders.split() for domain, folders in re.findall(r"\$\(EXTRACT\) -o var/(\w+)\.pot (.+)", recipe)}


@cache
def keywords() -> dict[str, object]:
    """The names of functions that mark words, by the Makefile."""
    line = next(line for line in (ROOT / "Makefile").read_text("utf-8").splitlines() if line.startswith("EXTRACT"))
    return {**DEFAULT_KEYWORDS, **parse_keywords(re.findall(r"-k (\S+)", line))}


@cache
def extracted(domain: str) -> frozenset[Phrase]:
    """Every phrase of a domain in the sources as they are now: (context, msgid or msgids)."""
    with (ROOT / "babel.cfg").open(encoding="utf-8") as file:
        methods, options = parse_mapping_cfg(file)
    template = Catalog()
    for folder in sources()[domain]:
        # By itself Babel passes over folders like _base.
        for _file, _line, words, _comments, context in extract_from_dir(
            ROOT / folder,
            methods,
            options,
            keywords=keywords(),
            directory_filter=lambda path: not Path(path).name.startswith("."),
        ):
            template.add(words, context=context)
    return frozenset((message.context or "", _id(message)) for message in template if message.id)


@cache
def catalog(domain: str, tag: str) -> Catalog:
    """A catalog as it is kept."""
    with path_of(domain, tag).open("rb") as file:
        return read_po(file, locale=tag.replace("-", "_"), domain=domain, abort_invalid=True)


def path_of(domain: str, tag: str) -> Path:
    """Where a catalog is kept."""
    return LOCALE / tag.replace("-", "_") / "LC_MESSAGES" / f"{domain}.po"


def messages(domain: str, tag: str) -> list[Message]:
    """A catalog's messages, its header left out."""
    return [message for message in catalog(domain, tag) if message.id]


def forms(message: Message) -> tuple[str, ...]:
    """A message's translations: one, or one a plural form."""
    return tuple(message.string) if isinstance(message.string, tuple | list) else (message.string or "",)


def placeholders(text: str) -> set[str]:
    """What is filled in later: %(name)s, {name}, {{ tag }}; a stray % too, which nothing can fill."""
    found = set()
    for match in PLACEHOLDER.finditer(text):
        if match[0] != "%%":
            found.add("stray %" if match[3] else re.sub(r"\s", "", match[0]))
    return found


def differences(message: Message) -> set[str]:
    """Placeholders that a translation has too many or too few."""
    ids = message.id if isinstance(message.id, tuple | list) else (message.id,)
    wanted = placeholders(ids[-1])
    different: set[str] = set()
    for form in filter(None, forms(message)):
        lacking = wanted - placeholders(form)
        if len(ids) > 1:
            lacking = {one for one in lacking if not (name := PLACEHOLDER.match(one)) or name[1] not in COUNTS}
        different |= lacking | (placeholders(form) - wanted)
    return different


def _id(message: Message) -> str | tuple[str, ...]:
    return tuple(message.id) if isinstance(message.id, tuple | list) else message.id


def test_each_domain_has_sources_and_each_language_a_catalog() -> None:
    assert set(sources()) == {"web", "member"}
    assert all((ROOT / folder).is_dir() for folders in sources().values() for folder in folders)
    kept = {(path.stem, path.parts[-3].replace("_", "-")) for path in LOCALE.rglob("*.po")}
    assert kept == set(CATALOGS)


@pytest.mark.parametrize(("domain", "tag"), CATALOGS)
def test_a_catalog_has_every_phrase_of_the_sources_and_no_other(domain: str, tag: str) -> None:
    kept = {(message.context or "", _id(message)) for message in messages(domain, tag)}
    assert len(kept) > 10
    again = "run `make catalogs`, then translate what is new"
    assert extracted(domain) - kept == set(), f"missing in {tag}: {again}"
    assert kept - extracted(domain) == set(), f"gone from the sources, still in {tag}: {again}"


@pytest.mark.parametrize(("domain", "tag"), CATALOGS)
def test_every_phrase_is_translated(domain: str, tag: str) -> None:
    empty = [message.id for message in messages(domain, tag) if not all(forms(message))]
    assert tag == SOURCE_LANGUAGE or empty == [], f"{len(empty)} phrases of {domain} have no translation into {tag}"


def test_how_far_a_catalog_is_is_what_is_translated_in_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for domain, tag in (("web", "es"), ("member", "ar")):
        said = messages(domain, tag)
        assert progress(domain, tag) == Progress(sum(1 for one in said if all(forms(one))), len(said))
    folder = tmp_path / "eo" / "LC_MESSAGES"
    folder.mkdir(parents=True)
    head = 'msgid ""\nmsgstr ""\n"Language: eo\\n"\n\n'
    plural = 'msgid "One"\nmsgid_plural "Many"\nmsgstr[0] "Unu"\nmsgstr[1] ""\n'
    (folder / "web.po").write_text(f'{head}msgid "Yes"\nmsgstr "Jes"\n\nmsgid "No"\nmsgstr ""\n\n{plural}', "utf-8")
    monkeypatch.setattr(catalogs, "LOCALE", tmp_path)
    assert progress("web", "eo") == Progress(1, 3)


@pytest.mark.parametrize(("domain", "tag"), CATALOGS)
def test_a_translation_has_the_placeholders_of_its_phrase(domain: str, tag: str) -> None:
    wrong = {str(message.id): found for message in messages(domain, tag) if (found := differences(message))}
    assert wrong == {}


@pytest.mark.parametrize(("domain", "tag"), CATALOGS)
def test_nothing_is_guessed(domain: str, tag: str) -> None:
    assert [message.id for message in messages(domain, tag) if message.fuzzy] == []


@pytest.mark.parametrize(("domain", "tag"), CATALOGS)
def test_a_phrase_that_counts_has_each_plural_form_of_its_language(domain: str, tag: str) -> None:
    rule = get_plural(tag.replace("-", "_"))
    assert catalog(domain, tag).num_plurals == rule.num_plurals
    assert catalog(domain, tag).plural_expr == rule.plural_expr
    counting = [message for message in messages(domain, tag) if message.pluralizable]
    assert {len(forms(message)) for message in counting} <= {rule.num_plurals}


@pytest.mark.parametrize(
    ("msgid", "msgstr", "wrong"),
    [
        ("Hello %(name)s", "Hola %(name)s", set()),
        ("Hello %(name)s", "Hola", {"%(name)s"}),
        ("Hello %(name)s", "Hola %(nombre)s", {"%(name)s", "%(nombre)s"}),
        ("%(size).0f KB", "%(size)d Ko", {"%(size).0f", "%(size)d"}),
        ("Use {{ first_name }}", "Usa {{first_name}}", set()),
        ("Use {{ first_name }}", "Usa {{ nombre }}", {"{{first_name}}", "{{nombre}}"}),
        ("100%% of all", "El 100 % de todo", {"stray %"}),
        (("%(count)d mail", "%(count)d mails"), ("un correo", "%(count)d correos"), set()),
        (("%(n)s of %(all)s", "%(n)s of %(all)s"), ("uno", "%(n)s de %(all)s"), {"%(all)s"}),
    ],
)
def test_the_eye_for_placeholders_sees_what_it_should(
    msgid: str | tuple[str, str], msgstr: str | tuple[str, str], wrong: set[str]
) -> None:
    assert differences(Message(msgid, msgstr)) == wrong
