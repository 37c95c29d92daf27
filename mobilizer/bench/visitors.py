"""Bench: visitors. A process of its own that asks the web server for many pages, over connections that stay open.

`python -m mobilizer.bench.visitors PORT CONNECTIONS FILE`: each line of the file is one request's path and what names
its program. It says "ready", waits for a line, asks, and says as JSON how many answers of each status came.
"""

from __future__ import annotations

import json
import re
import selectors
import socket
import sys
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

HOST = "127.0.0.1"
PATIENCE_SECONDS = 30.0
_LENGTH = re.compile(rb"content-length: *([0-9]+)", re.IGNORECASE)


class Visitor:
    """One connection, which asks for one page after another."""

    def __init__(self, port: int, asked: Iterator[bytes]) -> None:
        self.socket = socket.create_connection((HOST, port), timeout=PATIENCE_SECONDS)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._asked, self._came = asked, b""

    def ask(self) -> bool:
        """Ask for the next page; whether there was one left."""
        request = next(self._asked, None)
        if request is not None:
            self.socket.sendall(request)
        return request is not None

    def hear(self) -> int:
        """Read what has come; the status of a whole answer, 0 while it is not whole."""
        more = self.socket.recv(65536)
        if not more:
            raise ConnectionError("the server closed a connection")
        self._came += more
        head, end, body = self._came.partition(b"\r\n\r\n")
        if not end:
            return 0
        length = _LENGTH.search(head)
        if length and len(body) < int(length[1]):
            return 0
        self._came = b""
        return int(head[9:12])


def requests(lines: Iterator[str]) -> Iterator[bytes]:
    """What a browser or a mail program says, for lines of a path and its name."""
    for line in lines:
        path, _, agent = line.rstrip("\n").partition("\t")
        yield (
            f"GET {path} HTTP/1.1\r\nHost: act.example.org\r\nUser-Agent: {agent}\r\nAccept: */*\r\n"
            "Accept-Language: es-MX,es;q=0.9,en;q=0.6\r\nAccept-Encoding: gzip, br\r\n\r\n"
        ).encode()


def visit(port: int, connections: int, asked: Iterator[bytes]) -> Counter[int]:
    """Ask for everything; how many answers of each status came."""
    answers: Counter[int] = Counter()
    with selectors.DefaultSelector() as selector:
        for _ in range(connections):
            visitor = Visitor(port, asked)
            if visitor.ask():
                selector.register(visitor.socket, selectors.EVENT_READ, visitor)
        while selector.get_map():
            for key, _ in selector.select(PATIENCE_SECONDS):
                status = key.data.hear()
                if status:
                    answers[status] += 1
                    if not key.data.ask():
                        selector.unregister(key.fileobj)
                        key.data.socket.close()
    return answers


def main() -> None:
    """The process."""
    port, connections, file = int(sys.argv[1]), int(sys.argv[2]), Path(sys.argv[3])
    asked = list(requests(iter(file.read_text("utf-8").splitlines())))
    print("ready", flush=True)  # noqa: T201 - said to who started it
    sys.stdin.readline()
    began = time.monotonic()
    answers = visit(port, connections, iter(asked))
    print(json.dumps({"seconds": time.monotonic() - began, "answers": answers}), flush=True)  # noqa: T201


if __name__ == "__main__":
    main()
