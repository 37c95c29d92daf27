"""The log says where something broke and of what kind it was, never the words of the error: they may name a person."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

BREAKS = """
import logging, structlog, sys, traceback
from mobilizer import logs
logs.configure("INFO", sys.argv[1])
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
    logging.getLogger("_granian").error("the server's\\n" + traceback.format_exc())
"""


def said(form: str) -> str:
    """What a process says that breaks."""
    return subprocess.run([sys.executable, "-c", BREAKS, form], capture_output=True, text=True, check=True).stderr


@pytest.mark.parametrize("form", ["json", "text"])
def test_an_error_is_logged_by_its_place_and_kind_without_its_words(form: str) -> None:
    lines = said(form)
    assert "ana@example.org" not in lines
    for told in ("request failed", "again", "its own", "the server's", "in wrap", "in read"):
        assert told in lines, told
    assert lines.count("RuntimeError") == lines.count("ValueError") == 4


def test_as_json_every_line_is_an_event_with_its_time_also_a_librarys() -> None:
    events = [json.loads(line) for line in said("json").splitlines()]
    assert [event["event"].partition("\n")[0] for event in events] == [
        "request failed",
        "again",
        "its own",
        "the server's",
    ]
    assert {event["level"] for event in events} == {"error"}
    assert all(event["timestamp"].endswith("Z") for event in events)
    assert all("in read" in event.get("exception", event["event"]) for event in events)
    assert events[2]["logger"] == "a.library"
