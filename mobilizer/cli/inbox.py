"""Face: `mobilizer inbox`, the mail catcher that the demo sends to."""

from __future__ import annotations

import signal
import threading
from pathlib import Path

import click

from mobilizer.cli import main
from mobilizer.settings import Settings
from mobilizer.transport.inbox import serve


@main.command()
@click.option("--port", type=click.IntRange(0, 65535), default=1025, show_default=True, help="0 takes a free one.")
@click.option("--host", default="127.0.0.1", show_default=True, help="An address of this machine only.")
@click.option(
    "--folder", type=click.Path(path_type=Path, file_okay=False), help="Where mail is kept.  [default: the home folder]"
)
@click.pass_obj
def inbox(settings: Settings, port: int, host: str, folder: Path | None) -> None:
    """Take mail over SMTP on this machine and keep it, for the page /inbox. Runs until it is told to end."""
    stop = threading.Event()
    for name in (signal.SIGINT, signal.SIGTERM):
        signal.signal(name, lambda *_: stop.set())
    try:
        sink = serve(folder or settings.home, host, port)
    except (ValueError, OSError) as error:
        raise click.ClickException(f"The inbox can't listen on {host} port {port}: {error}") from None
    with sink:
        click.echo(f"The inbox takes mail at {sink.host} port {sink.port}.")
        while not stop.wait(3600):
            pass
