"""Face: `mobilizer blasts judge`: the verdicts of a blast's opens and clicks, drawn anew by today's rules."""

from __future__ import annotations

import click

from mobilizer.cli.naming import blast_named
from mobilizer.cli.opening import opened
from mobilizer.engagement.judging import judge_anew
from mobilizer.settings import Settings


@click.command()
@click.argument("slug")
@click.pass_obj
def judge(settings: Settings, slug: str) -> None:
    """Say anew of each open and click of a blast whether a machine did it: after an upgrade that knows more of them."""
    here = opened(settings)
    with here.database.read() as session:
        number = blast_named(session, slug).id
    changed = sum(changed for _looked_at, changed in judge_anew(here.database, number))
    click.echo(f"{changed:,} verdicts changed.")
