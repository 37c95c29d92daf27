"""Face: `mobilizer appeals ...`: an appeal with all its translations in from a file, and out again."""

from __future__ import annotations

from pathlib import Path

import click
from rich.console import Console
from rich.table import Table
from sqlalchemy.orm import Session

from mobilizer import tables as tables  # every mapper is complete
from mobilizer.appeals import editing
from mobilizer.appeals.appeals import Appeal
from mobilizer.appeals.completeness import completeness
from mobilizer.appeals.files import BadAppealFile, media_of, put_appeal, read_appeal, write_appeal
from mobilizer.appeals.parity import parity
from mobilizer.cli import main
from mobilizer.cli.opening import opened
from mobilizer.languages import language
from mobilizer.problems import Problem
from mobilizer.settings import Settings


@main.group()
def appeals() -> None:
    """Bring appeals in from files, and write them out."""


@appeals.command("import")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--replace", is_flag=True, help="Let the file take the place of the appeal with its slug.")
@click.pass_obj
def import_(settings: Settings, file: Path, replace: bool) -> None:
    """Save the appeal that FILE describes (docs/appeal-file.md), with its media."""
    installation = opened(settings)
    try:
        text = file.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise click.ClickException(f"{file.name} is not UTF-8 from byte {error.start} on. Save it as UTF-8.") from None
    try:
        read = read_appeal(text)
        with installation.database.write() as session:
            appeal = put_appeal(session, settings.media, read, file.parent, replace=replace)
            _describe(appeal)
    except BadAppealFile as error:
        raise click.ClickException("Nothing was saved.\n" + _lines(error.problems)) from None


@appeals.command()
@click.argument("slug")
@click.option("--format", "_format", type=click.Choice(["yaml"]), default="yaml", show_default=True)
@click.option("--to", "folder", type=click.Path(file_okay=False, path_type=Path), help="Write it and its media here.")
@click.pass_obj
def export(settings: Settings, slug: str, _format: str, folder: Path | None) -> None:
    """Print an appeal as its file; with --to, write the file and its media into a folder."""
    with opened(settings).database.read() as session:
        appeal = _appeal(session, slug)
        if folder is None:
            click.echo(write_appeal(appeal), nl=False)
            return
        (folder / "media").mkdir(parents=True, exist_ok=True)
        for name in sorted(media_of(appeal)):
            (folder / "media" / name).write_bytes((settings.media / name).read_bytes())
        path = folder / f"{slug}.yaml"
        path.write_text(write_appeal(appeal, media="media/"), encoding="utf-8")
    click.echo(str(path))


@appeals.command("list")
@click.pass_obj
def list_(settings: Settings) -> None:
    """Print every appeal and how complete its languages are."""
    with opened(settings).database.read() as session:
        for appeal in editing.appeals(session):
            _describe(appeal)


def _describe(appeal: Appeal) -> None:
    table = Table("Language", "Fields", "Missing", title=appeal.slug)
    for found in completeness(appeal):
        name = language(found.language).own_name
        table.add_row(name, f"{found.done} of {found.total}", ", ".join(found.missing))
    Console().print(table)
    different = parity(appeal)
    if different:
        click.echo("To mend before a launch:\n" + _lines(different))


def _lines(problems: list[Problem]) -> str:
    return "\n".join(
        f"  {problem.where}: {problem.text()}" if problem.where else problem.text() for problem in problems
    )


def _appeal(session: Session, slug: str) -> Appeal:
    found = editing.appeal_by_slug(session, slug)
    if found is None:
        there = ", ".join(appeal.slug for appeal in editing.appeals(session)) or "none yet"
        raise click.ClickException(f"There is no appeal “{slug}”. Appeals: {there}.")
    return found
