"""Face: `mobilizer receive`, what a mail server hands the mails to that members send to be unsubscribed."""

from __future__ import annotations

import sys

import click
import structlog
from sqlalchemy.exc import SQLAlchemyError

from mobilizer.cli import main
from mobilizer.cli.opening import opened
from mobilizer.message.leaving import LONGEST, token_to_leave
from mobilizer.rights.leaving import leave_by
from mobilizer.settings import Settings

TRY_AGAIN = 75  # EX_TEMPFAIL (sysexits.h): the mail server keeps the mail and comes again

log = structlog.get_logger()


@main.command()
@click.option("--recipient", default="", help="Address that the mail came to, by its envelope.")
@click.option("--sender", help="Return path of the mail, by its envelope; empty for a bounce.")
@click.pass_obj
def receive(settings: Settings, recipient: str, sender: str | None) -> None:
    """Read one mail from standard input; whoever asks by it to be unsubscribed is, from everything.

    Any other mail is taken and forgotten: to send it back would trouble somebody whose address was forged.
    """
    raw = sys.stdin.buffer.read(LONGEST)
    while sys.stdin.buffer.read(LONGEST):
        pass  # a mail server must not find a closed pipe
    token = token_to_leave(raw, recipient, sender)
    left = False
    if token is not None:
        try:
            installation = opened(settings)
            with installation.database.write() as session:
                left = leave_by(session, installation.keyring, token)
        except (SQLAlchemyError, OSError, click.ClickException) as error:
            log.warning("mail_not_received", error=type(error).__name__)
            sys.exit(TRY_AGAIN)
    log.info("mail_received", unsubscribed=left)
