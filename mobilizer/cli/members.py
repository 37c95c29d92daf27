"""Face: `mobilizer members ...`: import, list, count. Prints no address unless it is asked to."""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from pathlib import Path

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table
from sqlalchemy.orm import Session

from mobilizer import tables as tables  # every mapper is complete
from mobilizer.audience import importing, queries
from mobilizer.audience.imports import Import
from mobilizer.audience.listing import create_list, name_problems
from mobilizer.audience.lists import MemberList
from mobilizer.audience.reporting import VERDICTS, ReportRow
from mobilizer.cli import main
from mobilizer.cli.opening import opened
from mobilizer.installation import Installation
from mobilizer.problems import Problem
from mobilizer.settings import Settings
from mobilizer.slugs import is_slug

SHOWN = 20

STANDINGS = click.Choice(["confirmed", "pending", "unsubscribed", "suppressed"])


@main.group()
def members() -> None:
    """Bring members in, and count them."""


@members.command("import")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--list", "slug", required=True, help="Slug of the list they join.")
@click.option("--create", "new_name", help="Name of the list, to be made if there is none with this slug.")
@click.option("--map", "mapping", help="Columns by name or number: email=Correo,name=Nombre,language=4")
@click.option("--language", default="", help="Language of those whose row says none; else the installation's.")
@click.option("--encoding", default="", help="Encoding of the file, where the guess is wrong: utf-8, cp1252 ...")
@click.option("--report", type=click.Path(dir_okay=False, path_type=Path), help="Write the rows to mend to this file.")
@click.option("--show", is_flag=True, help="Print the rows to mend, addresses and all.")
@click.option("--json", "as_json", is_flag=True, help="Print the figures as JSON.")
@click.pass_obj
def import_(
    settings: Settings,
    file: Path,
    slug: str,
    new_name: str | None,
    mapping: str | None,
    language: str,
    encoding: str,
    report: Path | None,
    show: bool,
    as_json: bool,
) -> None:
    """Bring the members of a CSV file onto a list. Good rows go in; every other one is reported."""
    installation = opened(settings)
    number = _kept(installation, file, slug, new_name, mapping, {"default_language": language, "encoding": encoding})
    with _bar(quiet=as_json) as bar:
        task = bar.add_task(file.name, total=None)
        importing.run_import(installation, number, lambda done, rows: bar.update(task, completed=done, total=rows))
    with installation.database.read() as session:
        row = session.get_one(Import, number)
        found = importing.report(installation.keyring, row)
        if report:
            report.write_text(importing.report_csv(installation.keyring, row), encoding="utf-8", newline="")
        _tell(row, found, show=show, as_json=as_json)
        failure = importing.failure_of(row)
    if failure:
        raise click.ClickException(failure.text())


@members.command("list")
@click.option("--list", "slug", help="Only those on this list.")
@click.option("--language", default="", help="Only those who speak this language.")
@click.option("--standing", type=STANDINGS, help="Only those with this standing.")
@click.option("--before", type=int, help="Go on from the member with this id.")
@click.option("--show", is_flag=True, help="Print names and addresses too.")
@click.pass_obj
def list_(settings: Settings, slug: str, language: str, standing: str | None, before: int | None, show: bool) -> None:
    """Print a page of members, newest first."""
    installation = opened(settings)
    with installation.database.read() as session:
        page = queries.members_page(
            session,
            installation.keyring,
            list_id=_list(session, slug).id if slug else None,
            language=language,
            standing=standing or "",
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


def _kept(
    installation: Installation,
    file: Path,
    slug: str,
    new_name: str | None,
    mapping: str | None,
    said: dict[str, str],
) -> int:
    """Keep the file and the choices; returns the import's id."""
    with installation.database.write() as session:
        row_list = _list(session, slug, new_name)
        try:
            row = importing.store(
                session, installation, list_id=row_list.id, filename=file.name, data=file.read_bytes()
            )
            sheet = importing.look_again(installation, row, encoding=said["encoding"])
        except importing.Unreadable as error:
            raise click.ClickException(error.problem.text()) from None
        columns = _columns(mapping, sheet.header) if mapping else importing.guess_columns(sheet.header, sheet.sample)
        options = {"default_language": said["default_language"]} if said["default_language"] else {}
        _stop_at(importing.choose(row, sheet, columns, options) or importing.start(session, row))
        return row.id


def _columns(mapping: str, header: tuple[str, ...]) -> dict[str, int]:
    columns = {}
    for pair in mapping.split(","):
        field, _, column = (part.strip() for part in pair.partition("="))
        if column in header:
            columns[field] = header.index(column)
        elif column.isdigit() and int(column) > 0:
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


def _tell(row: Import, report: list[ReportRow], *, show: bool, as_json: bool) -> None:
    if as_json:
        click.echo(json.dumps({"state": row.state, "rows": row.rows_read, "counts": row.counts}))
        return
    table = Table("Rows", "", show_header=False)
    for verdict, words in VERDICTS.items():
        if row.counts.get(verdict):
            table.add_row(str(row.counts[verdict]), words)
    console = Console()
    console.print(table)
    for found in report if show else report[:SHOWN]:
        why = " ".join(problem.text() for problem in found.problems) if show else _without_addresses(found)
        console.print(f"Line {found.line}: {why}", markup=False, highlight=False)
    if len(report) > SHOWN and not show:
        console.print("More rows have something to mend: write them to a file with --report FILE.")


def _without_addresses(row: ReportRow) -> str:
    """What is wrong with a row, field by field; what people wrote there is left out of the sentences."""
    said = ((found.where or "row", replace(found, params=_unquoted(found)).text()) for found in row.problems)
    return " ".join(f"{where}: {sentence}" for where, sentence in said)


def _unquoted(problem: Problem) -> dict[str, object]:
    return {name: value if isinstance(value, int) else "…" for name, value in problem.params.items()}


def _stop_at(problems: list[Problem]) -> None:
    if problems:
        raise click.ClickException("\n".join(problem.text() for problem in problems))


def _bar(*, quiet: bool) -> Progress:
    parts = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    return Progress(*parts, console=Console(file=sys.stderr), disable=quiet, transient=True)
