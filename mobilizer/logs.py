"""Ground: logs. One JSON line an event on stderr; nothing in them names a person."""

from __future__ import annotations

import logging
import sys

import structlog

# Libraries that tell too much: one writes every SMTP command that it hears, addresses included.
QUIET = ("mail.log", "alembic")


def configure(level: str) -> None:
    """Log events of a severity ('INFO') and above, each with its time in UTC."""
    logging.basicConfig(level=level, stream=sys.stderr, format="%(message)s")
    for name in QUIET:
        logging.getLogger(name).setLevel(logging.WARNING)
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            structlog.processors.JSONRenderer(ensure_ascii=False),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelNamesMapping()[level]),
        logger_factory=structlog.WriteLoggerFactory(sys.stderr),
    )
