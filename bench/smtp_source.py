"""Postfix's smtp-source on our sink, for comparison: what C code needs that makes nothing and writes nothing down.

    .venv/bin/python bench/smtp_source.py --messages 50000 --connections 50

It needs the program, which Debian and Ubuntu have in the package `postfix`. Without installing a mail server:

    apt-get download postfix && dpkg -x postfix_*.deb FOLDER
    .venv/bin/python bench/smtp_source.py --unpacked FOLDER
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import time
from contextlib import nullcontext
from pathlib import Path

from mobilizer.bench import machine
from mobilizer.bench.processes import own_sink
from mobilizer.settings import child_environment

CONTENT = 29_000  # bytes; the mails of `mobilizer bench send` are as long


def find(unpacked: Path | None) -> tuple[str, dict[str, str]]:
    """The program and its environment. Ends with what to do where there is none."""
    if unpacked:
        program: str | None = str(unpacked / "usr/sbin/smtp-source")
        environment = child_environment(LD_LIBRARY_PATH=str(unpacked / "usr/lib/postfix"))
    else:
        program, environment = shutil.which("smtp-source", path=f"{os.defpath}:/usr/sbin"), child_environment()
    if not program or not Path(program).is_file():
        raise SystemExit(f"There is no smtp-source here.\n\n{(__doc__ or '').partition('connections 50')[2].strip()}")
    return program, environment


def main() -> None:
    """The command."""
    asked = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    asked.add_argument("--messages", type=int, default=50_000)
    asked.add_argument("--connections", type=int, default=50)
    asked.add_argument("--sink", default="", metavar="HOST:PORT", help="a sink that runs already")
    asked.add_argument("--unpacked", type=Path, help="where postfix's package was unpacked")
    given = asked.parse_args()
    program, environment = find(given.unpacked)
    cores = machine.cores()
    with nullcontext() if given.sink else own_sink(cores=cores[1:]) as sink:
        options = {"-s": given.connections, "-m": given.messages, "-l": CONTENT}
        options |= {"-f": "b@example.org", "-t": "a@example.org"}
        command = [program, "-d", *(str(word) for pair in options.items() for word in pair)]
        began = time.monotonic()
        process = subprocess.Popen([*command, given.sink or f"127.0.0.1:{sink.port}"], env=environment)  # noqa: S603
        if len(cores) > 1:
            machine.pin(process.pid, cores[0])
        _, status, used = os.wait4(process.pid, 0)
        seconds = time.monotonic() - began
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode or (sink and sink.taken().messages != given.messages):
            raise SystemExit("smtp-source did not send them all.")
    figures = {
        "messages": given.messages,
        "per_second": round(given.messages / seconds),
        "cpu_us_per_message": round((used.ru_utime + used.ru_stime) / given.messages * 1e6, 1),
    }
    print(json.dumps(figures))  # noqa: T201


if __name__ == "__main__":
    main()
