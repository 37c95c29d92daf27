"""Face: `mobilizer fields ...`: what is kept of members beside the usual; defined, renamed, retired."""

from __future__ import annotations

import json

import click
from rich.console import Console
from rich.table import Table
from sqlalchemy.orm import Session

from mobilizer import tables as tables  # every mapper is complete
from mobilizer.audience import fields as kept
from mobilizer.audience.fitting import Definition, FieldKind
from mobilizer.cli import main
from mobilizer.cli.opening import opened
from mobilizer.organizers.audit import record
from mobilizer.problems import Problem
from mobilizer.segments.keeping import retire_field
from mobilizer.settings import Settings

KIND = click.Choice([kind.value for kind in FieldKind])
LABEL = click.option("--label", "labels", multiple=True, help="What it is called in a language: es=Cumpleaños")
CHOICE = click.option("--choice", "choices", multiple=True, help="What may be chosen; once for each.")


@main.group()
def fields() -> None:
    """Define what is kept of members beside name, language and country."""


@fields.command("list")
@click.option("--json", "as_json", is_flag=True, help="One JSON array.")
@click.pass_obj
def list_(settings: Settings, as_json: bool) -> None:
    """Print every field."""
    with opened(settings).database.read() as session:
        found = kept.definitions(session).values()
    if as_json:
        click.echo(json.dumps([_written(one) for one in found]))
        return
    table = Table("Field", "Holds", "Choices", "Names", "")
    for one in found:
        names = ", ".join(f"{tag}={label}" for tag, label in one.labels.items())
        table.add_row(one.key, one.kind, ", ".join(one.choices), names, "retired" if one.retired else "")
    Console().print(table)


@fields.command()
@click.argument("key")
@click.option("--kind", type=KIND, default=FieldKind.TEXT.value, show_default=True, help="What it may hold.")
@CHOICE
@LABEL
@click.pass_obj
def add(settings: Settings, key: str, kind: str, choices: tuple[str, ...], labels: tuple[str, ...]) -> None:
    """Define the field KEY, best named as the column of your files."""
    with opened(settings).database.write() as session:
        _stop_at(kept.define(session, Definition(key, kind, choices, _labels(labels))))
        record(session, None, "field.define", "fields")
    click.echo("Defined.")


@fields.command()
@click.argument("key")
@CHOICE
@LABEL
@click.pass_obj
def change(settings: Settings, key: str, choices: tuple[str, ...], labels: tuple[str, ...]) -> None:
    """Change the names of the field KEY, or its choices; what is not said stays."""
    with opened(settings).database.write() as session:
        row = _known(session, key)
        _stop_at(kept.rename(row, {**row.labels, **_labels(labels)}, choices or row.choices))
        record(session, None, "field.change", f"field:{row.id}")
    click.echo("Changed.")


@fields.command()
@click.argument("key")
@click.pass_obj
def retire(settings: Settings, key: str) -> None:
    """Offer the field KEY nowhere any more. What members have in it stays."""
    with opened(settings).database.write() as session:
        row = _known(session, key)
        _stop_at(retire_field(session, row))
        record(session, None, "field.retire", f"field:{row.id}")
    click.echo("Retired.")


@fields.command()
@click.argument("key")
@click.pass_obj
def restore(settings: Settings, key: str) -> None:
    """Bring the retired field KEY back."""
    with opened(settings).database.write() as session:
        row = _known(session, key)
        row.retired_at = None
        record(session, None, "field.restore", f"field:{row.id}")
    click.echo("Back.")


def _written(one: Definition) -> dict[str, object]:
    told = {"choices": list(one.choices), "labels": dict(one.labels), "retired": one.retired}
    return {"key": one.key, "kind": one.kind, **told}


def _labels(told: tuple[str, ...]) -> dict[str, str]:
    found = {}
    for pair in told:
        tag, sign, label = pair.partition("=")
        if not sign:
            raise click.ClickException(f"“{pair}” is not like es=Cumpleaños.")
        found[tag.strip()] = label
    return found


def _known(session: Session, key: str) -> kept.MemberField:
    row = kept.field_by_key(session, key)
    if row is None:
        there = ", ".join(kept.definitions(session)) or "none yet"
        raise click.ClickException(f"There is no field “{key}”. Fields: {there}.")
    return row


def _stop_at(problems: list[Problem]) -> None:
    if problems:
        raise click.ClickException("\n".join(problem.text() for problem in problems))
