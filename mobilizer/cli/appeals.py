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
from mobilizer.appeals.exchange import FORMATS, Format, file_name, format_of, read_sheet
from mobilizer.appeals.files import BadAppealFile, media_of, put_appeal, read_appeal, write_appeal
from mobilizer.appeals.parity import parity
from mobilizer.appeals.sheets import BadSheet, sheet_of, take_sheet
from mobilizer.cli import main
from mobilizer.cli.opening import opened
from mobilizer.languages import UnknownLanguage, canonical, language
from mobilizer.problems import Problem
from mobilizer.settings import Settings


@main.group()
def appeals() -> None:
    """Bring appeals in from files, and write them out."""


@appeals.command("import")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--replace", is_flag=True, help="Let the file take the place of the appeal with its slug.")
@click.option("--appeal", "slug", help="Whose translation FILE is: a CSV does not say it.")
@click.option("--language", "tag", help="Into which language FILE translates: a CSV does not say it.")
@click.pass_obj
def import_(settings: Settings, file: Path, replace: bool, slug: str | None, tag: str | None) -> None:
    """Save what FILE says: a YAML file a whole appeal with its media (docs/appeal-file.md); an XLIFF, PO or CSV file,
    as `export` makes them, the translation into one language."""
    if format_of(file.name):
        _import_sheet(settings, file, slug, tag)
        return
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
@click.option("--format", "name", type=click.Choice(["yaml", *FORMATS]), default="yaml", show_default=True)
@click.option("--language", "tag", help="The one language that is wanted; in YAML beside the source text.")
@click.option("--to", "folder", type=click.Path(file_okay=False, path_type=Path), help="Write the files here.")
@click.pass_obj
def export(settings: Settings, slug: str, name: str, tag: str | None, folder: Path | None) -> None:
    """Print an appeal as its file, or one language as a file for translators; with --to, write the file and its media
    into a folder, or a file for each language."""
    with opened(settings).database.read() as session:
        appeal = _appeal(session, slug)
        tags = [_language(appeal, tag)] if tag else [t.language for t in appeal.translations]
        if name in FORMATS:
            _export_sheets(appeal, FORMATS[name], [tag for tag in tags if tag != appeal.source_language], folder)
        elif folder is None:
            click.echo(write_appeal(appeal, languages=tags), nl=False)
        else:
            click.echo(str(_export_whole(settings, appeal, tags, folder)))


def _export_whole(settings: Settings, appeal: Appeal, tags: list[str], folder: Path) -> Path:
    (folder / "media").mkdir(parents=True, exist_ok=True)
    for name in sorted(media_of(appeal)):
        (folder / "media" / name).write_bytes((settings.media / name).read_bytes())
    path = folder / f"{appeal.slug}.yaml"
    path.write_text(write_appeal(appeal, media="media/", languages=tags), encoding="utf-8")
    return path


def _export_sheets(appeal: Appeal, format: Format, tags: list[str], folder: Path | None) -> None:
    sheets = [sheet_of(appeal, tag) for tag in tags]
    if folder is None and len(sheets) != 1:
        raise click.ClickException("Say which language with --language, or where to write one file for each with --to.")
    for sheet in sheets:
        if folder is None:
            click.echo(format.write(sheet), nl=False)
        else:
            folder.mkdir(parents=True, exist_ok=True)
            path = folder / file_name(sheet, format)
            path.write_bytes(format.write(sheet))
            click.echo(str(path))


def _import_sheet(settings: Settings, file: Path, slug: str | None, tag: str | None) -> None:
    try:
        sheet = read_sheet(file.name, file.read_bytes())
    except BadSheet as error:
        raise click.ClickException("Nothing was saved.\n" + _lines([error.problem])) from None
    slug, tag = slug or sheet.slug, tag or sheet.language
    if not slug or not tag:
        raise click.ClickException("Nothing was saved.\n  This file does not say it: give --appeal and --language.")
    with opened(settings).database.write() as session:
        appeal = _appeal(session, slug)
        taken = take_sheet(session, appeal, _spelled(tag), sheet)
        if not taken.refused:
            _describe(appeal)
    if taken.refused:
        raise click.ClickException("Nothing was saved.\n" + _lines(list(taken.problems)))
    click.echo(f"Changed: {', '.join(taken.changed) or 'nothing'}")
    if taken.problems:
        click.echo("Left out:\n" + _lines(list(taken.problems)))


def _language(appeal: Appeal, said: str) -> str:
    tag = _spelled(said)
    if editing.translation_in(appeal, tag) is None:
        there = ", ".join(translation.language for translation in appeal.translations)
        raise click.ClickException(f"“{appeal.slug}” has no translation into “{said}”. It has: {there}.")
    return tag


def _spelled(said: str) -> str:
    try:
        return canonical(said)
    except UnknownLanguage:
        raise click.ClickException(f"“{said}” is not a language code. Give one like “es” or “pt-BR”.") from None


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
