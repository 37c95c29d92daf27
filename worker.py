"""One RQ worker on one queue: `python worker.py` is `mobilizer worker`, with all that it checks before it starts."""

from mobilizer.cli import main

if __name__ == "__main__":
    main(["worker"], prog_name="worker.py")
