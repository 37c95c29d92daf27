"""Face: the command line. `mobilizer ...`, one file a family of commands."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path

import click
from pydantic import ValidationError

from mobilizer import __version__
from mobilizer.logs import configure
from mobilizer.settings import load_settings, wrong_settings

# Where each command lives: a file is imported only when one of its commands is wanted.
COMMANDS = {
    "appeals": "appeals",
    "audit": "audit",
    "bench": "bench",
    "blasts": "blasts",
    "db": "db",
    "demo": "demo",
    "doctor": "doctor",
    "fields": "fields",
    "inbox": "inbox",
    "keys": "keys",
    "languages": "languages",
    "members": "members",
    "reconcile": "worker",
    "receive": "receive",
    "relays": "relays",
    "segments": "segments",
    "selftest": "selftest",
    "serve": "serve",
    "users": "users",
    "worker": "worker",
}


class Family(click.Group):
    """The commands by name; each registers itself when its file is imported."""

    def list_commands(self, _ctx: click.Context) -> list[str]:
        return sorted(COMMANDS)

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        if name in COMMANDS:
            import_module(f"mobilizer.cli.{COMMANDS[name]}")
        return super().get_command(ctx, name)


@click.group(cls=Family, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__)
@click.option(
    "--home",
    type=click.Path(path_type=Path, file_okay=False),
    help="Folder of the embedded database, keys and media.  [env: MOBILIZER_HOME; default: var]",
)
@click.pass_context
def main(context: click.Context, home: Path | None) -> None:
    """One appeal, every language, exactly one e-mail to every member."""
    try:
        settings = load_settings(home)
    except ValidationError as error:
        raise click.ClickException(wrong_settings(error)) from None
    configure(settings.log_level, settings.log_format)
    context.obj = settings
