"""Face: `mobilizer audit ...`: whether the record of what organizers did is still what was written."""

from __future__ import annotations

import click

from mobilizer import tables as tables  # every mapper is complete
from mobilizer.cli import main
from mobilizer.cli.opening import opened
from mobilizer.organizers.audit import AuditEntry, verify
from mobilizer.settings import Settings


@main.group()
def audit() -> None:
    """What organizers did."""


@audit.command("verify")
@click.option("--seen", metavar="NUMBER:HASH", help="The end of the log as an earlier run printed it.")
@click.pass_obj
def verify_(settings: Settings, seen: str | None) -> None:
    """Follow the chain of the audit log, and say where it is broken.

    Prints the log's end as NUMBER:HASH. Kept elsewhere and given as --seen the next time, it shows a log that was
    written anew as a whole. Exit codes: 0 whole; 1 broken.
    """
    number, _, hashed = (seen or "").partition(":")
    with opened(settings).database.read() as session:
        verdict = verify(session)
        then = session.get(AuditEntry, int(number)) if number.isdecimal() else None
        changed = bool(seen) and (then is None or then.hash.hex() != hashed)
    if verdict.broken_at is not None:
        raise click.ClickException(f"The audit log was changed: entry {verdict.broken_at} is not what it was.")
    if changed:
        raise click.ClickException(f"The audit log was written anew: entry {number} is not the one of then.")
    click.echo(f"The audit log is whole. Its end: {verdict.last}:{verdict.hash.hex()}")
