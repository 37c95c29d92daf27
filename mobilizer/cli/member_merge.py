"""Face: `mobilizer members merge`: two records of one person become one. Named by their numbers, never by address."""

from __future__ import annotations

import click
from rich.console import Console
from rich.table import Table
from sqlalchemy.orm import Session

from mobilizer.audience.notes import notes_of
from mobilizer.audience.queries import member_detail
from mobilizer.cli.opening import opened
from mobilizer.engagement.history import received
from mobilizer.installation import Installation
from mobilizer.organizers.audit import record
from mobilizer.rights import merging
from mobilizer.settings import Settings

WHY_NOT = {
    merging.Refused.SAME: "That is the same member twice. Choose another one.",
    merging.Refused.GONE: "Nobody has one of these numbers; it may have been merged or erased.",
    merging.Refused.LAUNCHING: "The people of a blast are being written down. Merge the two when it is on its way.",
    merging.Refused.OPEN: "A mail to one of the two is still under way, or is uncertain and nobody has decided.",
}
NUMBER = click.IntRange(1, 2**63 - 1)


@click.command()
@click.argument("gone", type=NUMBER)
@click.argument("stays", type=NUMBER)
@click.option("--dry-run", is_flag=True, help="Say what would be merged, and write nothing.")
@click.pass_obj
def merge(settings: Settings, gone: int, stays: int, dry_run: bool) -> None:
    """Merge the record of the member with number GONE into that of STAYS, who keeps number and address.

    It can't be undone. Links of either lead to who stays; the sums of blasts stay as they were.
    """
    here = opened(settings)
    if dry_run:
        with here.database.read() as session:
            _refuse(merging.refusal(session, gone, stays))
            _show(here, session, gone, stays)
        click.echo("Nothing was written: this was a dry run.")
        return
    with here.database.write() as session:
        _refuse(merging.merge(session, here.keyring, gone, stays))
        record(session, None, "member.merge", f"member:{stays}", merged=gone, by="command line")
    click.echo(f"Member {gone} is merged into member {stays}.")


def _refuse(refused: merging.Refused | None) -> None:
    if refused is not None:
        raise click.ClickException(WHY_NOT[refused])


def _show(here: Installation, session: Session, *numbers: int) -> None:
    """Both records in figures: their words and names are nobody's business here."""
    table = Table("", "Number", "Language", "Since", "Lists", "Mails", "Notes", "Tags")
    for what, number in zip(("goes", "stays"), numbers, strict=True):
        one = member_detail(session, here.keyring, number)
        if one is not None:
            mails, notes = received(session, number), notes_of(session, here.keyring, number)
            counts = (len(one.lists), len(mails), len(notes), len(one.tags))
            table.add_row(what, str(number), one.line.language, f"{one.line.created_at:%F}", *map(str, counts))
    Console().print(table)
