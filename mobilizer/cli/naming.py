"""Face: the blast that a command names, and the trace that a command leaves."""

from __future__ import annotations

from collections.abc import Callable

import click
from sqlalchemy.orm import Session

from mobilizer.blasts import lifecycle
from mobilizer.blasts.blasts import Blast
from mobilizer.installation import Installation
from mobilizer.organizers.audit import record


def blast_named(session: Session, slug: str) -> Blast:
    """The blast of a slug. Ends the command as wrongly used (2) where there is none."""
    blast = lifecycle.by_slug(session, slug)
    if blast is None:
        raise click.BadParameter(f"there is no blast “{slug}”.", param_hint="SLUG")
    return blast


def record_command(session: Session, verb: str, blast_id: int, **detail: object) -> None:
    """Into the audit log: nobody's name, for whoever has this machine may do anything."""
    record(session, None, f"blast.{verb}", f"blast:{blast_id}", by="command line", **detail)


def steer(here: Installation, slug: str, verb: str, act: Callable[[Session, int], bool]) -> None:
    """Make a legal move of a blast. Ends the command (1) with where it stands if that is not one."""
    with here.database.write() as session:
        blast = blast_named(session, slug)
        blast_id, was = blast.id, blast.state
        if not act(session, blast_id):
            raise click.ClickException(f"Nothing done: the blast is {was}.")
        record_command(session, verb, blast_id)
