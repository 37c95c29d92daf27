"""Ground: logs. One line an event on stderr, as JSON or for people; nothing in them names a person."""

from __future__ import annotations

import logging
import sys
import traceback
from typing import Literal

import structlog
from structlog.processors import ExceptionRenderer, JSONRenderer, TimeStamper
from structlog.stdlib import ProcessorFormatter
from structlog.typing import ExcInfo, Processor

Format = Literal["json", "text"]

# Libraries that tell too much: one writes every SMTP command that it hears, addresses included.
QUIET = ("mail.log", "alembic")
# The web server. It tells an error that reached it as text, words and all.
SERVER = "_granian"


def place_of(exc_info: ExcInfo) -> str:
    """Where errors came from and of what kinds they are; not their words, which may hold what a person typed."""
    told: list[str] = []
    error: BaseException | None = exc_info[1]
    while error is not None:
        told.append("".join(traceback.format_tb(error.__traceback__)) + type(error).__qualname__)
        error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    return "\n\n".join(reversed(told))


def without_words(record: logging.LogRecord) -> bool:
    """Leave of a traceback in a record's message its places and kinds; every record passes (a filter of logging)."""
    first, *lines = record.getMessage().split("\n")
    told, in_frame = [first], False
    for line in lines:
        if line.startswith('  File "'):
            told, in_frame = [*told, line], True
        elif in_frame and not line.startswith(" "):
            told, in_frame = [*told, line.partition(":")[0]], False
    record.msg, record.args = "\n".join(told), ()
    return True


def configure(level: str, form: Format = "json") -> None:
    """Log events of a severity ('INFO') and above, each with its time in UTC: ours and those of libraries alike."""
    first: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        TimeStamper(fmt="iso", utc=True),
        ExceptionRenderer(place_of),
    ]
    last: Processor = JSONRenderer(ensure_ascii=False)
    if form == "text":
        last = structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty())
    said = logging.StreamHandler(sys.stderr)
    said.setFormatter(
        ProcessorFormatter(
            foreign_pre_chain=[structlog.stdlib.add_logger_name, *first],
            processors=[ProcessorFormatter.remove_processors_meta, last],
        )
    )
    logging.basicConfig(level=level, handlers=[said])
    for name in QUIET:
        logging.getLogger(name).setLevel(logging.WARNING)
    server = logging.getLogger(SERVER)
    server.addFilter(without_words)
    server.handlers, server.propagate = [], True
    structlog.configure(
        processors=[*first, last],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelNamesMapping()[level]),
        logger_factory=structlog.WriteLoggerFactory(sys.stderr),
    )
