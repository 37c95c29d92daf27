"""Face: the held waves of a blast from the command line. Sent to now, or given what they fall back to."""

from __future__ import annotations

import click
from sqlalchemy.orm import Session

from mobilizer.appeals.media import BadMedia
from mobilizer.blasts.blasts import Blast
from mobilizer.blasts.waiting import approved
from mobilizer.cli.naming import blast_named, record_command
from mobilizer.cli.opening import opened
from mobilizer.delivery import late, waves
from mobilizer.delivery.waves import HeldWave, Kind
from mobilizer.engagement import winners
from mobilizer.message.compile import CompileError
from mobilizer.settings import Settings


@click.command()
@click.argument("slug")
@click.argument("wave", type=click.IntRange(1))
@click.option("--variant", help="Of a wave that waits for the best variant: which one it gets.")
@click.pass_obj
def release(settings: Settings, slug: str, wave: int, variant: str | None) -> None:
    """Send to a held wave now, by its number in `status`: after the first few, before its hour, in a language that came
    late and is approved by now, or in a variant."""
    here = opened(settings)
    with here.database.write() as session:
        blast, held = _wave(session, slug, wave)
        if held.kind == Kind.LANGUAGE and not approved(blast.appeal, held.language):
            raise click.ClickException(f"Nothing done: {held.language} is not approved yet. Or see: fall-back.")
        if (held.kind == Kind.WINNER) != bool(variant):
            tried = ", ".join(held.variants) or "none here"
            raise click.BadParameter(f"of a wave that waits for the best variant: {tried}.", param_hint="--variant")
        try:
            done = _let_go(session, here.settings, blast, held, variant)
        except (CompileError, BadMedia) as error:
            raise click.ClickException(f"Nothing done: {error}") from None
        _told(session, blast, held, "" if variant else "release", done)
        carried = not variant or all(one.found["sure"] for one in winners.trials(session, blast) if one.n == wave)
    click.echo(f"{held.people} people are held no longer.")
    if not carried:
        click.echo("The numbers don't carry the choice: the differences may be chance.")


@click.command("fall-back")
@click.argument("slug")
@click.argument("wave", type=click.IntRange(1))
@click.pass_obj
def fall_back(settings: Settings, slug: str, wave: int) -> None:
    """Let a wave wait for its language no longer, by its number in `status`: its people get what they fall back to."""
    with opened(settings).database.write() as session:
        blast, held = _wave(session, slug, wave)
        if held.kind != Kind.LANGUAGE:
            raise click.ClickException("Nothing done: this wave waits for no language. See: release.")
        _told(session, blast, held, "fall_back", late.give_up(session, blast.id, held.language))
    click.echo(f"{held.people} people are held no longer.")


def _let_go(session: Session, settings: Settings, blast: Blast, held: HeldWave, variant: str | None) -> bool:
    if variant:
        return winners.choose(session, blast, held.language, variant)
    return late.let_go(session, settings, blast, held)


def _wave(session: Session, slug: str, wave: int) -> tuple[Blast, HeldWave]:
    """A blast and its wave of a number. Ends the command as wrongly used (2) where none such is held."""
    blast = blast_named(session, slug)
    for held in waves.held(session, blast.id):
        if held.n == wave:
            return blast, held
    raise click.BadParameter(f"no wave {wave} of this blast is held: `status` shows those that are.", param_hint="WAVE")


def _told(session: Session, blast: Blast, held: HeldWave, verb: str, done: bool) -> None:
    if not done:
        raise click.ClickException(f"Nothing done: the blast is {blast.state}.")
    if verb:  # a choice is recorded where it is made
        record_command(session, verb, blast.id, wave=held.n)
