"""The check: it says yes only where everything is as promised, and it uses the pages as people do."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest

from mobilizer.demo.check import Figures
from mobilizer.demo.visitor import NoSuchForm, Visitor

ALL_WELL = {"messages": 9, "sums": True, "click": True, "one_click": True, "watch": True}
FORM = (
    '<main><form method="get" action="/find"><input name="q"></form><form method="post" action="/go">'
    '<input type="hidden" name="csrf" value="a&amp;b"><input name="people"></form></main>'
)


class Site(BaseHTTPRequestHandler):
    """A form with a hidden field, a cookie, and a page that only knows who brings both."""

    def do_GET(self) -> None:
        if self.path == "/away":
            self.send_response(302)
            self.send_header("Location", "/form")
        else:
            self.send_response(200)
            self.send_header("Set-Cookie", "seen=1")
        self.end_headers()
        self.wfile.write(FORM.encode())

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        self.send_response(200 if self.headers["Cookie"] == "seen=1" else 403)
        self.end_headers()
        self.wfile.write(body.encode())

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture
def site() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Site)
    thread = Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


def test_it_holds_where_all_is_well() -> None:
    assert Figures(**ALL_WELL).holds  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "wrong",
    [
        *({name: 1} for name in ("duplicates", "missing", "wrong_language", "to_unsubscribed", "to_suppressed")),
        *({name: False} for name in ("sums", "click", "one_click", "watch")),
        {"to_strangers": 1},
        {"uncertain": 1},
        {"messages": 0},
        {"trouble": "held"},
    ],
    ids=str,
)
def test_it_does_not_hold_where_one_thing_is_wrong(wrong: dict[str, object]) -> None:
    assert not Figures(**ALL_WELL | wrong).holds  # type: ignore[arg-type]


def test_a_visitor_fills_the_form_that_is_there_and_keeps_cookies(site: str) -> None:
    visitor = Visitor()
    answer = visitor.submit(visitor.get(f"{site}/away"), "/go", people="12")
    assert (answer.status, answer.text) == (200, "csrf=a%26b&people=12")


def test_a_visitor_may_look_at_a_redirect_instead_of_following(site: str) -> None:
    answer = Visitor().get(f"{site}/away", follow=False)
    assert (answer.status, answer.location) == (302, "/form")


def test_a_form_that_is_not_there_is_said_clearly(site: str) -> None:
    visitor = Visitor()
    with pytest.raises(NoSuchForm, match="/launch"):
        visitor.submit(visitor.get(f"{site}/form"), "/launch")


def test_one_command_launches_the_demo_and_every_mail_is_right(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "mobilizer.cli", "demo", "--check", "--members", "120", "--json"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=250, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    figures = json.loads(done.stdout)
    assert figures["ok"]
    assert figures["members"] == 120
    assert set(figures["languages"]) == {"en", "es", "fr", "pt", "ar"}
    assert not list(tmp_path.iterdir())
