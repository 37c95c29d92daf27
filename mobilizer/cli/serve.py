"""Face: `mobilizer serve`, the web server."""

from __future__ import annotations

import math
import os
import socket
import sys

import click

from mobilizer.cli import main
from mobilizer.cli.opening import opened, refuse_unready
from mobilizer.cli.users import invited_first
from mobilizer.organizers.first_run import nobody_yet
from mobilizer.settings import Settings, child_environment

APPLICATION = "mobilizer.app:serve"


@main.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="The address to listen on.")
@click.option("--port", type=click.IntRange(1, 65535), default=8000, show_default=True, help="The port to listen on.")
@click.option("--workers", type=click.IntRange(1, 256), default=1, show_default=True, help="Web processes: one a core.")
@click.option("--threads", type=click.IntRange(1, 256), help="Requests at once in each, if not as the settings say.")
@click.pass_obj
def serve(settings: Settings, host: str, port: int, workers: int, threads: int | None) -> None:
    """Run the web server: the organizers' pages, the members' pages, clicks and opens."""
    refuse_unready(settings)
    _check_free(host, port)
    _greet(settings)
    threads, patience = threads or settings.web_threads, math.ceil(settings.web_patience_seconds * 1000)
    command = [
        *(sys.executable, "-m", "granian", "--interface", "wsgi", "--factory", "--no-ws"),
        *("--host", host, "--port", str(port), "--workers", str(workers), "--blocking-threads", str(threads)),
        *("--http1-header-read-timeout", str(patience)),
        *("--respawn-failed-workers", "--workers-kill-timeout", "5", "--log-level", "error"),
        APPLICATION,
    ]
    # The server takes this process's place: one process less, and signals reach it straight.
    said = child_environment(MOBILIZER_HOME=str(settings.home.resolve()), MOBILIZER_WEB_THREADS=str(threads))
    os.execve(sys.executable, command, said)  # noqa: S606


def _greet(settings: Settings) -> None:
    """Say how the first administrator comes in, where nobody is here yet."""
    here = opened(settings)
    with here.database.read() as session:
        if nobody_yet(session):
            click.echo(f"Nobody can sign in yet. {invited_first(here)}")
    here.database.close()


def _check_free(host: str, port: int) -> None:
    """Say in one line what the server would say in fifty."""
    try:
        with socket.create_server((host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET):
            pass
    except OSError as error:
        raise click.ClickException(
            f"Can't listen on {host} port {port}: {error.strerror}. Give another --port."
        ) from None
