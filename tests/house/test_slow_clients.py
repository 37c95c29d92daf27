"""House: who sends slowly, takes slowly or sends too much keeps nobody else waiting. Against the server itself."""

from __future__ import annotations

import re
import shutil
import socket
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager, suppress
from pathlib import Path

import pytest

from mobilizer.installation import install
from mobilizer.settings import Settings
from tests.house.test_visitors import served
from tests.stories.processes import until

THREADS, SLOW = 6, 2  # so many may wait for who sends, and so many for who takes
PATIENCE_SECONDS = 4
FILM = "0" * 40 + ".mp4"
FILM_BYTES = 32 * 1024 * 1024  # more than lies in the buffers of a connection
STATUS = re.compile(rb"HTTP/1\.1 ([0-9]{3})")
PAGE = b"GET /brand.css HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
FORM = b"POST /p/nobody HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-www-form-urlencoded\r\n"
WHOLE_FORM = FORM + b"Connection: close\r\nContent-Length: 5\r\n\r\na=b&c"
HALF_FORM = FORM + b"Content-Length: 50\r\n\r\na=b"
HALF_UPLOAD = FORM.replace(b"/p/nobody", b"/set-up") + b"Content-Length: 100000\r\n\r\na=b"
HALF_HEADERS = b"GET /brand.css HTTP/1.1\r\nHost: x\r\nX-Slow: "
PLAY = f"GET /media/{FILM} HTTP/1.1\r\nHost: x\r\nRange: bytes=0-\r\n\r\n".encode()


@pytest.fixture(scope="module")
def port(tmp_path_factory: pytest.TempPathFactory, sqlite_template: Path, redis_server: str) -> Iterator[int]:
    """Where `mobilizer serve` answers, with a film that is not soon read. To start it takes longer than to ask it."""
    home = tmp_path_factory.mktemp("slow")
    shutil.copy(sqlite_template, home / "mobilizer.sqlite3")
    here = install(Settings(home=home, redis_url=redis_server, base_url="http://mobilizer.test"))
    with (here.settings.media / FILM).open("wb") as film:
        film.truncate(FILM_BYTES)
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = int(taken.getsockname()[1])
    more = {"MOBILIZER_WEB_THREADS": str(THREADS), "MOBILIZER_WEB_PATIENCE_SECONDS": str(PATIENCE_SECONDS)}
    with served(here, port, home / "said.txt", **more):
        yield port
    here.database.close()


@contextmanager
def saying(port: int, words: bytes) -> Iterator[socket.socket]:
    """Somebody who has said so much, and waits."""
    with closing(socket.create_connection(("127.0.0.1", port), 30)) as line:
        line.sendall(words)
        yield line


def heard(line: socket.socket) -> bytes:
    """All that is said until the connection is closed."""
    said = b""
    while True:
        try:
            more = line.recv(65536)
        except ConnectionError:
            return said
        if not more:
            return said
        said += more


def answer(port: int, words: bytes) -> int:
    """The status of the answer to a request that is whole; 0 where the connection was closed without one."""
    with saying(port, words) as line:
        found = STATUS.match(heard(line))
        return int(found[1]) if found else 0


def hears_nothing(line: socket.socket) -> bool:
    """Whether a connection stands open and nothing was said on it yet."""
    line.setblocking(False)
    try:
        return line.recv(1, socket.MSG_PEEK) is None
    except BlockingIOError:
        return True
    finally:
        line.settimeout(30)


def test_who_sends_slowly_keeps_nobody_waiting_and_is_given_up_before_the_body(port: int) -> None:
    with ExitStack() as all_of_them:
        begun = [all_of_them.enter_context(saying(port, HALF_HEADERS)) for _ in range(40)]
        posting = [
            all_of_them.enter_context(saying(port, words)) for words in (HALF_FORM, HALF_UPLOAD) for _ in range(10)
        ]
        assert [answer(port, words) for words in (PAGE, WHOLE_FORM) * 3] == [200, 503] * 3
        assert all(hears_nothing(line) for line in begun), "the others had to wait for them"
        waiting = [line for line in posting if hears_nothing(line)]
        assert len(waiting) == SLOW
        said = [line.recv(12) for line in posting if line not in waiting]
        # A large form is none that a stranger may send.
        assert sorted(said) == [b"HTTP/1.1 413"] * 10 + [b"HTTP/1.1 503"] * (10 - SLOW)
        for line in begun:
            heard(line)
        for line in waiting:
            with suppress(ConnectionError):  # more than the form is
                line.sendall(b"c" * 100_000)
            assert STATUS.match(line.recv(100))
        assert [answer(port, words) for words in (PAGE, WHOLE_FORM)] == [200, 404]


def test_who_takes_a_film_slowly_keeps_nobody_waiting(port: int) -> None:
    with ExitStack() as all_of_them:
        for _ in range(SLOW):
            line = all_of_them.enter_context(saying(port, PLAY))
            assert STATUS.match(line.recv(100))
        assert [answer(port, words) for words in (PAGE, WHOLE_FORM) * 3] == [200, 404] * 3
        with saying(port, PLAY) as one_more:
            assert one_more.recv(100).startswith(b"HTTP/1.1 503")
    with saying(port, PLAY) as line:
        pass

    def plays() -> bool:
        with saying(port, PLAY) as line:
            return line.recv(100).startswith(b"HTTP/1.1 206")

    until(plays)


def test_what_is_too_much_is_refused(port: int) -> None:
    too_large = FORM.replace(b"/p/nobody", b"/set-up") + b"Connection: close\r\nContent-Length: 999999999999\r\n\r\na=b"
    many = b"GET / HTTP/1.1\r\nHost: x\r\n" + b"".join(b"X-%d: y\r\n" % n for n in range(200)) + b"\r\n"
    large = b"GET / HTTP/1.1\r\nHost: x\r\nX-Large: " + b"y" * 600_000 + b"\r\n\r\n"
    assert answer(port, too_large) == 413
    assert answer(port, many) == 431
    assert answer(port, large) in (0, 431)
    assert answer(port, PAGE) == 200


def test_requests_that_come_at_once_are_answered_in_their_order(port: int) -> None:
    paths = ("/brand.css", "/o/none.gif", "/nowhere", "/o/none.gif", f"/c/{'x' * 47}/1")
    asked = b"".join(f"GET {path} HTTP/1.1\r\nHost: x\r\n\r\n".encode() for path in paths[:-1])
    last = f"GET {paths[-1]} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode()
    with saying(port, asked + last) as line:
        assert STATUS.findall(heard(line)) == [b"200", b"200", b"404", b"200", b"404"]
