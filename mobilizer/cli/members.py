"""Face: `mobilizer members ...`: import, list, count. Prints no address unless it is asked to."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any

import click
from rich.console import Console
from rich.table import Table
from sqlalchemy.orm import Session

from mobilizer import tables as tables  # every mapper is complete
from mobilizer.audience import importing, queries
from mobilizer.audience.consent import EXAMPLE
from mobilizer.audience.delimited import DELIMITERS
from mobilizer.audience.encodings import ENCODINGS
from mobilizer.audience.fields import definitions, in_use
from mobilizer.audience.imports import Import
from mobilizer.audience.listing import create_list, name_problems
from mobilizer.audience.lists import MemberList
from mobilizer.audience.preferences import Fewer
from mobilizer.audience.reporting import VERDICTS, ReportRow
from mobilizer.audience.rows import Unreadable
from mobilizer.audience.sheet import Sheet, look, refuse_larger
from mobilizer.audience.tagging import tag_named
from mobilizer.audience.tags import split_names
from mobilizer.cli import main
from mobilizer.cli.member_export import export
from mobilizer.cli.member_leaving import leaving
from mobilizer.cli.member_merge import merge
from mobilizer.cli.opening import opened
from mobilizer.cli.private_files import private_file
from mobilizer.cli.underway import bar, stoppable
from mobilizer.installation import Installation
from mobilizer.keys import Keyring
from mobilizer.problems import Problem
from mobilizer.settings import Settings
from mobilizer.slugs import is_slug

SHOWN = 20
_SIGNS = {name: sign for sign, name in DELIMITERS.items()}

STANDINGS = click.Choice(["confirmed", "pending", "unsubscribed", "suppressed", *Fewer])


@main.group()
def members() -> None:
    """Bring members in, take them out, merge and count them."""


members.add_command(export)
members.add_command(leaving)
members.add_command(merge)


@members.command("import")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--list", "slug", required=True, help="Slug of the list they join.")
@click.option("--create", "new_name", help="Name of the list, to be made if there is none with this slug.")
@click.option(
    "--map", "mapping", help="Columns by name or number: email=Correo,name=Nombre,language=4; fields by their key."
)
@click.option("--consent-source", default="", help="Where they agreed to get mail: a petition, a march, a form.")
@click.option("--consent-date", default="", help=f"When they agreed: {EXAMPLE}. Of several days, the last.")
@click.option("--wording", default="", help="The words that they agreed to.")
@click.option("--wording-language", default="", help="Language of those words: es, pt-BR ...")
@click.option(
    "--known", type=click.Choice(["fill", "keep", "replace"]), help="What becomes of members we have already."
)
@click.option("--language", default="", help="Language of those whose row says none; else the installation's.")
@click.option("--tag", "tags", multiple=True, help="Put this tag on everyone who goes in; may be given several times.")
@click.option("--by-country", is_flag=True, help="Where a row names only a country, take its language.")
@click.option("--dates", type=click.Choice(["dmy", "mdy"]), help="Of 05/06/2026, whether day or month comes first.")
@click.option("--encoding", default="", help="Encoding of the file, where the guess is wrong: utf-8, cp1252 ...")
@click.option(
    "--delimiter", default="", type=click.Choice(["", *DELIMITERS.values()]), help="Where the guess is wrong."
)
@click.option("--header/--no-header", default=None, help="Whether the columns have names; else it is guessed.")
@click.option("--sheet", type=click.IntRange(1), default=1, help="Number of the sheet, of a workbook with several.")
@click.option("--dry-run", is_flag=True, help="Say what would become of each row, and write nothing.")
@click.option("--report", type=click.Path(dir_okay=False, path_type=Path), help="Write the rows to mend to this file.")
@click.option("--show", is_flag=True, help="Print the rows to mend, addresses and all.")
@click.option("--json", "as_json", is_flag=True, help="Print the figures as JSON.")
@click.pass_obj
def import_(
    settings: Settings,
    /,
    file: Path,
    slug: str,
    new_name: str | None,
    mapping: str | None,
    encoding: str,
    delimiter: str,
    header: bool | None,
    sheet: int,
    dry_run: bool,
    report: Path | None,
    show: bool,
    as_json: bool,
    **said: str | bool | tuple[str, ...] | None,
) -> None:
    """Bring the members of a CSV file or a workbook onto a list. Good rows go in; every other one is reported."""
    installation = opened(settings)
    wanted = _Wanted(file, slug, new_name, mapping, _options(said))
    try:
        with file.open("rb") as data:
            refuse_larger(data, settings.import_bytes)
            looked = look(data, encoding, _SIGNS.get(delimiter, ""), header, sheet - 1)
            if dry_run:
                _foretell(wanted.rehearsed(installation, data, looked), looked, show=show, as_json=as_json)
                return
            number = wanted.kept(installation, data, looked)
    except Unreadable as error:
        raise click.ClickException(error.problem.text()) from None
    run_to_the_end(installation, number, report=report, show=show, as_json=as_json)


@members.command()
@click.argument("number", type=click.IntRange(1))
@click.option("--report", type=click.Path(dir_okay=False, path_type=Path), help="Write the rows to mend to this file.")
@click.option("--show", is_flag=True, help="Print the rows to mend, addresses and all.")
@click.option("--json", "as_json", is_flag=True, help="Print the figures as JSON.")
@click.pass_obj
def resume(settings: Settings, number: int, report: Path | None, show: bool, as_json: bool) -> None:
    """Go on with the import of this NUMBER where it was stopped."""
    installation = opened(settings)
    with installation.database.write() as session:
        row = session.get(Import, number)
        if row is None or row.state != "running":
            raise click.ClickException(f"No import {number} is under way.")
        importing.go_on(session, row)
    run_to_the_end(installation, number, report=report, show=show, as_json=as_json)


@members.command("give-up")
@click.argument("number", type=click.IntRange(1))
@click.pass_obj
def give_up(settings: Settings, number: int) -> None:
    """End the import of this NUMBER, and throw its file away; what is in stays in."""
    installation = opened(settings)
    with installation.database.write() as session:
        row = session.get(Import, number)
        if row is None or not importing.give_up(session, installation, row):
            raise click.ClickException(f"No import {number} is under way.")
        click.echo(f"Given up; {row.rows_read} rows were read, and their members stay.")


def run_to_the_end(installation: Installation, number: int, *, report: Path | None, show: bool, as_json: bool) -> None:
    """Run an import and say what became of it. Ctrl-C lets the present chunk be written, then says how to go on."""
    with bar(quiet=as_json) as shown, stoppable() as stop:
        task = shown.add_task(f"Import {number}", total=None)

        def progress(done: int, rows: int) -> None:
            shown.update(task, completed=done, total=rows)
            if stop.is_set():
                raise _Stopped(done, rows)

        try:
            importing.run_import(installation, number, progress)
        except _Stopped as stopped:
            raise click.ClickException(
                f"Stopped; {stopped.done} of {stopped.rows} rows are in. A worker goes on with it, if one runs. "
                f"Or go on here: mobilizer members resume {number}"
            ) from None
    with installation.database.read() as session:
        row = session.get_one(Import, number)
        if report:
            with private_file(report, replace=True) as out:
                out.writelines(importing.report_csv(session, installation.keyring, row))
        _tell(row, importing.report(session, installation.keyring, number), show=show, as_json=as_json)
        failure = importing.failure_of(row)
    if failure:
        raise click.ClickException(failure.text())


@members.command("list")
@click.option("--list", "slug", help="Only those on this list.")
@click.option("--language", default="", help="Only those who speak this language.")
@click.option("--standing", type=STANDINGS, help="Only those with this standing.")
@click.option("--tag", help="Only those with this tag.")
@click.option("--before", type=click.IntRange(1, 2**63 - 1), help="Go on from the member with this id.")
@click.option("--show", is_flag=True, help="Print names and addresses too.")
@click.pass_obj
def list_(
    settings: Settings,
    slug: str,
    language: str,
    standing: str | None,
    tag: str | None,
    before: int | None,
    show: bool,
) -> None:
    """Print a page of members, newest first."""
    installation = opened(settings)
    with installation.database.read() as session:
        page = queries.members_page(
            session,
            installation.keyring,
            list_id=_list(session, slug).id if slug else None,
            language=language,
            standing=standing or "",
            tag_id=_tag(session, tag) if tag else None,
            before=before,
        )
    table = Table("Id", "Language", "Second", "Country", "Since", "Suppressed", *(["Name", "Address"] if show else []))
    for line in page.members:
        shown = [str(line.id), line.language, line.second_language or "", line.country or "", f"{line.created_at:%F}"]
        table.add_row(*shown, line.suppressed_for or "", *([line.name, line.email] if show else []))
    Console().print(table)
    if page.older:
        click.echo(f"More: --before {page.older}")


@members.command()
@click.option("--json", "as_json", is_flag=True, help="Print the figures as JSON.")
@click.pass_obj
def count(settings: Settings, as_json: bool) -> None:
    """Count members, by list and language."""
    with opened(settings).database.read() as session:
        lists, everyone = queries.lists(session), queries.count_members(session)
    if as_json:
        figures = {one.slug: {"members": one.members, "languages": dict(one.languages)} for one in lists}
        click.echo(json.dumps({"members": everyone, "lists": figures}))
        return
    table = Table("List", "Members", "Languages")
    for one in lists:
        table.add_row(one.slug, str(one.members), ", ".join(f"{tag} {people}" for tag, people in one.languages))
    Console().print(table)
    click.echo(f"{everyone} members in all.")


@dataclass(frozen=True, slots=True)
class _Wanted:
    """An import as the command line asks for it."""

    file: Path
    slug: str
    new_name: str | None
    mapping: str | None
    options: dict[str, Any]

    def kept(self, installation: Installation, data: IO[bytes], sheet: Sheet) -> int:
        """Keep the file and the choices, and let the import run; returns its id."""
        with installation.database.write() as session:
            row_list = _list(session, self.slug, self.new_name)
            row = importing.store(
                session, installation, list_id=row_list.id, filename=self.file.name, data=data, sheet=sheet
            )
            try:
                _stop_at(self._chosen(session, installation.keyring, row, sheet) or importing.start(session, row))
            except click.ClickException:
                importing.discard(session, installation, row)
                raise
            return row.id

    def rehearsed(self, installation: Installation, data: IO[bytes], sheet: Sheet) -> importing.Rehearsal:
        """What the import would do; neither the file nor a new list is kept."""
        with installation.database.read() as session:
            there = queries.list_by_slug(session, self.slug)
            number = there.id if there else 0 if self.new_name else _list(session, self.slug).id
            row = importing.draft(session, installation, number, sheet)
            row.created_at = datetime.now(UTC)
            _stop_at(self._chosen(session, installation.keyring, row, sheet))
            return importing.rehearse(session, installation, row, clear=data)

    def _chosen(self, session: Session, keyring: Keyring, row: Import, sheet: Sheet) -> list[Problem]:
        if not self.mapping:
            return importing.choose(keyring, row, sheet, row.columns, self.options)
        columns, defined = _columns(self.mapping, sheet.header), in_use(definitions(session))
        fields = {name: columns.pop(name) for name in tuple(columns) if name in defined}
        return importing.choose(keyring, row, sheet, columns, {**self.options, "attributes": fields})


class _Stopped(Exception):
    """Somebody pressed Ctrl-C, and a chunk has been written since."""

    def __init__(self, done: int, rows: int) -> None:
        super().__init__(done)
        self.done, self.rows = done, rows


def _options(said: dict[str, str | bool | tuple[str, ...] | None]) -> dict[str, Any]:
    """The choices that were made; what was not said is left to what is remembered."""
    said["default_language"] = said.pop("language")
    said["tags"] = split_names(", ".join(tags)) if isinstance(tags := said["tags"], tuple) else ()
    return {name: value for name, value in said.items() if value}


def _columns(mapping: str, header: tuple[str, ...]) -> dict[str, int]:
    columns = {}
    for pair in mapping.split(","):
        field, _, column = (part.strip() for part in pair.partition("="))
        if column in header:
            columns[field] = header.index(column)
        elif column.isdecimal() and int(column) > 0:
            columns[field] = int(column) - 1
        else:
            names = ", ".join(f"“{name}”" for name in header)
            raise click.ClickException(f"There is no column “{column}” for {field}. The columns are: {names}.")
    return columns


def _list(session: Session, slug: str, new_name: str | None = None) -> MemberList:
    found = queries.list_by_slug(session, slug)
    if found is None and new_name:
        _stop_at(name_problems(new_name))
        if not is_slug(slug):
            raise click.ClickException(f"“{slug}” is not a slug. Write small letters, digits and hyphens.")
        found = create_list(session, new_name, slug=slug)
    if found is None:
        there = ", ".join(one.slug for one in queries.lists(session)) or "none yet; make one with --create NAME"
        raise click.ClickException(f"There is no list “{slug}”. Lists: {there}.")
    return found


def _tag(session: Session, name: str) -> int:
    found = tag_named(session, name)
    if found is None:
        raise click.ClickException(f"There is no tag “{name}”.")
    return found.id


def _tell(row: Import, report: Iterable[ReportRow], *, show: bool, as_json: bool) -> None:
    if as_json:
        click.echo(json.dumps({"state": row.state, "rows": row.rows_read, "counts": row.counts}))
        return
    console = Console()
    console.print(_figures(row.counts))
    for nth, found in enumerate(report):
        if nth == SHOWN and not show:
            console.print("More rows have something to mend: write them to a file with --report FILE.")
            break
        _say(console, found, show=show)


def _say_how_it_reads(sheet: Sheet, *, show: bool) -> None:
    """A wrong guess must be seen; the words themselves are people's names."""
    sign = "" if sheet.sheets else f", {DELIMITERS[sheet.delimiter]} between cells"
    click.echo(f"Read as {ENCODINGS.get(sheet.encoding, sheet.encoding)}{sign}.")
    if sheet.broken:
        click.echo(f"Letters that cannot be read: {sheet.broken}. Try another --encoding.")
    if show and sheet.telling:
        click.echo(f"Do these words look right? {' · '.join(sheet.telling)}")


def _foretell(rehearsal: importing.Rehearsal, sheet: Sheet, *, show: bool, as_json: bool) -> None:
    if as_json:
        figures = {
            "counts": rehearsal.counts,
            "typos": rehearsal.typos,
            "blanked": rehearsal.blanked,
            "languages": rehearsal.languages,
        }
        click.echo(json.dumps({**figures, "unknown_languages": rehearsal.unknown_languages}))
        return
    _say_how_it_reads(sheet, show=show)
    console = Console()
    console.print(_figures(rehearsal.counts))
    for found in rehearsal.refused:
        _say(console, found, show=show)
    if rehearsal.blanked:
        console.print(f"Rows with a value that does not fit its field and is left blank: {rehearsal.blanked}.")
    if rehearsal.typos:
        console.print(f"Addresses that look like typing errors: {rehearsal.typos}.")
    console.print("Nothing was written: this was a dry run.")


def _figures(counts: Mapping[str, int]) -> Table:
    table = Table("Rows", "", show_header=False)
    for verdict, words in VERDICTS.items():
        if counts.get(verdict):
            table.add_row(str(counts[verdict]), words)
    return table


def _say(console: Console, found: ReportRow, *, show: bool) -> None:
    why = " ".join(problem.text() for problem in found.problems) if show else _without_addresses(found)
    console.print(f"Line {found.line}: {why}", markup=False, highlight=False)


def _without_addresses(row: ReportRow) -> str:
    """What is wrong with a row, field by field; what people wrote there is left out of the sentences."""
    said = ((found.where or "row", replace(found, params=_unquoted(found)).text()) for found in row.problems)
    return " ".join(f"{where}: {sentence}" for where, sentence in said)


def _unquoted(problem: Problem) -> dict[str, object]:
    return {name: value if isinstance(value, int) else "…" for name, value in problem.params.items()}


def _stop_at(problems: list[Problem]) -> None:
    if problems:
        raise click.ClickException("\n".join(problem.text() for problem in problems))
