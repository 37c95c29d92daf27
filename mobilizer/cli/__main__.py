"""Face: `python -m mobilizer.cli`, the command line without its script."""

from mobilizer.cli import main

main(prog_name="mobilizer")
