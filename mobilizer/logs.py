"""Ground: logs. One JSON line an event on stderr; nothing in them names a person."""

from __future__ import annotations

import logging
import sys
import traceback
from typing import Any

import structlog
from structlog.typing import ExcInfo

# Libraries that tell too much: one writes every SMTP command that it hears, addresses included.
QUIET = ("mail.log", "alembic")


def place_of(exc_info: ExcInfo) -> str:
    """Where errors came from and of what kinds they are; not their words, which may hold what a person typed."""
    told: list[str] = []
    error: BaseException | None = exc_info[1]
    while error is not None:
        told.append("".join(traceback.format_tb(error.__traceback__)) + type(error).__qualname__)
        error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    return "\n\n".join(reversed(told))


class _Places(logging.Formatter):
    """How libraries' errors are written: as our own."""

    def formatException(self, ei: Any) -> str:
        return place_of(ei)


def configure(level: str) -> None:
    """Log events of a severity ('INFO') and above, each with its time in UTC."""
    said = logging.StreamHandler(sys.stderr)
    said.setFormatter(_Places("%(message)s"))
    logging.basicConfig(level=level, handlers=[said])
    for name in QUIET:
        logging.getLogger(name).setLevel(logging.WARNING)
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.ExceptionRenderer(place_of),
            structlog.processors.JSONRenderer(ensure_ascii=False),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelNamesMapping()[level]),
        logger_factory=structlog.WriteLoggerFactory(sys.stderr),
    )
