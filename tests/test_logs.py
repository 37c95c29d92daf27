"""The log says where something broke and of what kind it was, never the words of the error: they may name a person."""

from __future__ import annotations

import subprocess
import sys

BREAKS = """
import logging, structlog
from mobilizer import logs
logs.configure("INFO")
def read(text):
    raise ValueError(f"cannot read {text}")
def wrap():
    try:
        read("ana" + "@example.org")
    except ValueError as error:
        raise RuntimeError(str(error)) from error
try:
    wrap()
except RuntimeError as error:
    structlog.get_logger().error("request failed", exc_info=error)
    structlog.get_logger().exception("again")
    logging.getLogger("a.library").exception("its own")
"""


def test_an_error_is_logged_by_its_place_and_kind_without_its_words() -> None:
    said = subprocess.run([sys.executable, "-c", BREAKS], capture_output=True, text=True, check=True).stderr
    assert "ana@example.org" not in said
    for told in ("request failed", "again", "its own", "in wrap", "in read"):
        assert told in said, told
    assert said.count("RuntimeError") == said.count("ValueError") == 3
