"""Audience: which column of a file holds what, guessed from its header in six languages or from what is in it."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Mapping, Sequence

from mobilizer.audience.exports import export_columns, export_of, has_left
from mobilizer.problems import N_, Problem

# The fields of an import, in the order of a form.
IMPORT_FIELDS = {
    "email": N_("E-mail address"),
    "name": N_("Name"),
    "first_name": N_("First name"),
    "last_name": N_("Last name"),
    "language": N_("Language"),
    "second_language": N_("Second language"),
    "country": N_("Country"),
    "time_zone": N_("Time zone"),
    "status": N_("Subscribed or not"),
    "tags": N_("Tags"),
    "joined": N_("Day on which they agreed"),
    "consent": N_("How they agreed"),
    "wording": N_("What they agreed to"),
    "wording_language": N_("Language of these words"),
}

_HEADERS = {
    "email": (
        "email|e mail|mail|email address|e mail address|mail address|correo|correo electronico|"
        "direccion de correo|courriel|adresse email|adresse e mail|adresse mail|adresse electronique|"
        "endereco de email|endereco de e mail|correio|correio eletronico|البريد|البريد الالكتروني|"
        "بريد الكتروني|الايميل|ايميل|e mail adresse|emailadresse|mailadresse"
    ),
    "name": (
        "name|full name|member name|nombre completo|nombre y apellidos|nombre|nom|nom complet|nom et prenom|"
        "prenom et nom|nome completo|nome|الاسم|الاسم الكامل|اسم|vollstandiger name|vor und nachname"
    ),
    "first_name": (
        "first name|firstname|given name|forename|primer nombre|nombre de pila|prenom|primeiro nome|"
        "nome proprio|الاسم الاول|vorname|rufname"
    ),
    "last_name": (
        "last name|lastname|surname|family name|apellido|apellidos|nom de famille|sobrenome|apelido|"
        "اسم العائلة|اللقب|nachname|familienname"
    ),
    "language": (
        "language|lang|locale|preferred language|main language|idioma|lengua|idioma preferido|langue|"
        "langue preferee|lingua|اللغة|لغة|sprache|bevorzugte sprache"
    ),
    "second_language": (
        "second language|secondary language|other language|language 2|second lang|segundo idioma|"
        "segunda lengua|otro idioma|deuxieme langue|seconde langue|autre langue|segunda lingua|"
        "outro idioma|اللغة الثانية|zweite sprache|zweitsprache"
    ),
    "country": (
        "country|country code|nation|pais|codigo de pais|pays|code pays|البلد|الدولة|بلد|دولة|land|staat|landercode"
    ),
    "time_zone": (
        "time zone|timezone|tz|zona horaria|huso horario|fuseau horaire|fuso horario|المنطقة الزمنية|zeitzone"
    ),
    "tags": "tags|tag|labels|etiquetas|etiqueta|etiquettes|mots cles|marcadores|الوسوم|وسوم|schlagworte",
    "status": "subscribed|subscription status|suscrito|abonne|subscrito|مشترك|angemeldet",
}

# Names of a column that says who is subscribed, or anything else: its cells tell.
_MAYBE_STATUS = frozenset(
    ("status", "email status", "opt in", "newsletter", "estado", "estatus", "statut", "etat", "situacao", "الحالة")
)


def plain_name(name: str) -> str:
    """A name without capitals, accents and signs: "E-Mail" and "e_mail" are one."""
    plain = "".join(c for c in unicodedata.normalize("NFKD", name.casefold()) if not unicodedata.combining(c))
    return " ".join(re.sub(r"[\W_]+", " ", plain).split())


_BY_HEADER = {plain_name(name): field for field, names in _HEADERS.items() for name in names.split("|")}


def names_a_field(header: str) -> str | None:
    """The field that a column's name stands for, if it is one we know."""
    return _BY_HEADER.get(plain_name(header))


def guess_columns(
    header: Sequence[str], sample: Sequence[Sequence[str]] = (), known: Mapping[str, str] | None = None
) -> dict[str, int]:
    """Field -> position: as was chosen before, as the export of a tool we know has them, else by the columns' names.

    `known` says what columns of a name were before; an empty word, that they were left out. The address, and who is
    subscribed, are also told by what the `sample` rows hold. "Name" or "Nom" beside a first name means the family name,
    as people write it.
    """
    told = known or {}
    export = export_of(header)
    if export:
        return _as_chosen(header, export_columns(export, header), told)
    guessed: dict[str, int] = {}
    for position, name in enumerate(header):
        field = told[name] if name in told else names_a_field(name)
        if field and field not in guessed:
            guessed[field] = position
    if "first_name" in guessed and "name" in guessed:
        guessed.setdefault("last_name", guessed["name"])
        del guessed["name"]
    if "email" not in guessed and (held := address_columns(sample)):
        guessed["email"] = held[0]
    if "status" not in guessed and (held := [at for at in status_columns(header, sample) if header[at] not in told]):
        guessed["status"] = held[0]
    return guessed


def _as_chosen(header: Sequence[str], usual: Mapping[str, int], told: Mapping[str, str]) -> dict[str, int]:
    """The usual columns, but for those of which something else was chosen before."""
    chosen: dict[str, int] = {}
    for position, name in enumerate(header):
        if told.get(name):
            chosen.setdefault(told[name], position)
    return {at: position for at, position in usual.items() if header[position] not in told} | chosen


def status_columns(header: Sequence[str], sample: Sequence[Sequence[str]]) -> list[int]:
    """The columns called "Status" or the like that hold nothing but words for who is subscribed, in some rows."""
    named = [at for at, name in enumerate(header) if plain_name(name) in _MAYBE_STATUS]
    filled = {at: [row[at] for row in sample if at < len(row) and row[at].strip()] for at in named}
    return [at for at in named if filled[at] and all(map(_says_who_left, filled[at]))]


def _says_who_left(cell: str) -> bool:
    problem = has_left(cell)
    return problem is None or problem.severity == "warning"


def address_columns(sample: Sequence[Sequence[str]]) -> list[int]:
    """The columns that hold addresses in most of some rows, the fullest first."""
    filled = Counter(at for row in sample for at, cell in enumerate(row) if "@" in cell)
    return sorted((at for at in filled if filled[at] * 2 > len(sample)), key=lambda at: (-filled[at], at))


def column_problems(columns: Mapping[str, int], header: Sequence[str]) -> list[Problem]:
    """What is wrong with a choice of columns: no address column, a column that is not there, one used twice."""
    problems = []
    if "email" not in columns:
        message = N_("No column holds the e-mail addresses. Choose which one does; without it nobody can be added.")
        problems.append(Problem("import.no_email_column", message, where="email"))
    for field, position in columns.items():
        if field not in IMPORT_FIELDS:
            message = N_("There is no field called “%(field)s”. Choose one of: %(fields)s.")
            params = {"field": field[:40], "fields": ", ".join(IMPORT_FIELDS)}
            problems.append(Problem("import.unknown_field", message, params, where=field))
        elif not 0 <= position < len(header):
            message = N_("The file has no column at position %(position)d. Choose another.")
            numbers = {"position": position + 1}
            problems.append(Problem("import.no_such_column", message, numbers, where=field))
        elif list(columns.values()).count(position) > 1:
            message = N_("The column “%(column)s” is chosen for two fields. Choose one column for each.")
            column = header[position] or str(position + 1)
            problems.append(Problem("import.column_twice", message, {"column": column}, where=field))
    return problems
