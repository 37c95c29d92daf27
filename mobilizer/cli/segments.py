"""Face: `mobilizer segments ...`: which there are, and how many people fit one."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import click
from babel import Locale
from rich.console import Console
from rich.table import Table
from sqlalchemy.orm import Session

from mobilizer import tables as tables  # every mapper is complete
from mobilizer.cli import main
from mobilizer.cli.opening import opened
from mobilizer.segments import keeping
from mobilizer.segments.segments import Segment
from mobilizer.segments.segments import count as count_people
from mobilizer.segments.tree import BadRules, gone, outline, read_rules
from mobilizer.segments.voice import Voice, names
from mobilizer.settings import Settings


@main.group()
def segments() -> None:
    """Look at segments, and count who fits.

    Exit codes: 0 done; 1 it can't be used, and why; 2 wrongly used, or no such segment.
    """


@segments.command("list")
@click.option("--json", "as_json", is_flag=True, help="One JSON array; the rules as they are kept.")
@click.pass_obj
def list_(settings: Settings, as_json: bool) -> None:
    """Print every segment and its rules."""
    with opened(settings).database.read() as session:
        found = [(one, _lines(session, one)) for one in keeping.segments(session)]
    if as_json:
        click.echo(json.dumps([{"slug": one.slug, "name": one.name, "rules": one.rules} for one, _ in found]))
        return
    table = Table("Segment", "Name", "Rules")
    for one, lines in found:
        table.add_row(one.slug, one.name, "\n".join(lines))
    Console().print(table)


@segments.command()
@click.argument("slug")
@click.option("--json", "as_json", is_flag=True, help="Print the figures as JSON.")
@click.pass_obj
def count(settings: Settings, slug: str, as_json: bool) -> None:
    """Count who fits a segment and can be mailed, by language."""
    with opened(settings).database.read() as session:
        segment = keeping.by_slug(session, slug)
        if segment is None:
            raise click.BadParameter(f"there is no segment “{slug}”.", param_hint="SLUG")
        try:
            rules = keeping.usable_rules(session, segment.rules)
        except BadRules as bad:
            raise click.ClickException("\n".join(f"{one.where}: {one.text()}" for one in bad.problems)) from None
        languages = count_people(session, rules, datetime.now(UTC))
    people = sum(number for _tag, number in languages)
    if as_json:
        click.echo(json.dumps({"slug": slug, "people": people, "languages": dict(languages)}))
        return
    table = Table("Language", "People")
    for tag, number in languages:
        table.add_row(tag, str(number))
    table.add_row("Together", str(people))
    Console().print(table)


def _lines(session: Session, segment: Segment) -> list[str]:
    """The rules as sentences, or what is wrong with them."""
    try:
        rules = read_rules(segment.rules)
    except BadRules as bad:
        return [f"{one.where}: {one.text()}" for one in bad.problems]
    known = names(session)
    voice = Voice(Locale("en"), known)
    lines = ["  " * depth + line.text() for part in rules.parts for depth, line in outline(part, voice)]
    return [*lines, *(f"{one.where}: {one.text()}" for one in gone(rules, known))]
