"""Face: the command line. `mobilizer ...`, one file a family of commands."""

from __future__ import annotations

from pathlib import Path

import click

from mobilizer import __version__
from mobilizer.settings import Settings


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__)
@click.option(
    "--home",
    type=click.Path(path_type=Path, file_okay=False),
    help="Folder of the embedded database, keys and media.  [env: MOBILIZER_HOME; default: var]",
)
@click.pass_context
def main(context: click.Context, home: Path | None) -> None:
    """One appeal, every language, exactly one e-mail to every member."""
    context.obj = Settings(home=home) if home else Settings()
