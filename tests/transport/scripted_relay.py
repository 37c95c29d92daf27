"""A relay on loopback that answers as it is told, also badly."""

from __future__ import annotations

import contextlib
import socket
import ssl
import threading
from collections.abc import Callable, Mapping
from typing import Any

DROP = b"\0drop"  # close the connection instead of answering
HANG = b"\0hang"  # say nothing until the test is over
RESET = b"\0reset"  # close so that the client gets ECONNRESET

GOOD = {
    "BANNER": b"220 scripted\r\n",
    "EHLO": b"250-scripted\r\n250-PIPELINING\r\n250-SIZE 100000\r\n250 8BITMIME\r\n",
    "HELO": b"250 scripted\r\n",
    "MAIL": b"250 2.1.0 sender ok\r\n",
    "RCPT": b"250 2.1.5 recipient ok\r\n",
    "DATA": b"354 go on\r\n",
    "DOT": b"250 2.0.0 taken as 4711\r\n",
    "RSET": b"250 2.0.0 forgotten\r\n",
    "QUIT": b"221 bye\r\n",
    "STARTTLS": b"220 shake hands\r\n",
    "AUTH": b"235 signed in\r\n",
}

Answer = bytes | Callable[[str], bytes]


class ScriptedRelay:
    """Listens from the start of a `with` block to its end. `answers` replaces what GOOD says, by command.

    `heard` are the lines that came, `messages` the contents that were ended by a dot, `ahead` what had come behind
    each dot by the time it was answered.
    """

    def __init__(self, answers: Mapping[str, Answer] | None = None, context: ssl.SSLContext | None = None) -> None:
        self.answers: dict[str, Answer] = {**GOOD, **(answers or {})}
        self.context = context
        self.wrapped_from_the_start = False
        self.heard: list[str] = []
        self.messages: list[bytes] = []
        self.unfinished: list[bytes] = []
        self.ahead: list[bytes] = []
        self._over = threading.Event()
        self._threads: list[threading.Thread] = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]

    def __enter__(self) -> ScriptedRelay:
        self._start(self._accept)
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for thread in self._threads:
            thread.join(10)
            assert not thread.is_alive(), "the scripted relay did not come to its end"

    def _start(self, target: Callable[..., None], *arguments: Any) -> None:
        thread = threading.Thread(target=target, args=arguments, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        while not self._over.is_set():
            try:
                sock, _ = self._listener.accept()
            except OSError:
                return
            self._start(self._serve, sock)

    def _serve(self, sock: socket.socket) -> None:
        dialogue = _Dialogue(self, sock)
        with contextlib.suppress(OSError, EOFError):
            dialogue.run()
        for one in (dialogue.sock, sock):
            one.close()

    def wait(self) -> None:
        """Wait until the test is over."""
        self._over.wait(30)


class _Dialogue:
    def __init__(self, relay: ScriptedRelay, sock: socket.socket) -> None:
        self.relay, self.sock, self.buffer = relay, sock, b""
        sock.settimeout(10)

    def run(self) -> None:
        if self.relay.wrapped_from_the_start:
            self._wrap()
        self._say("BANNER", "")
        while True:
            line = self._line().decode("utf-8", "replace")
            self.relay.heard.append(line)
            verb = line.partition(" ")[0].upper()
            said = self._say(verb, line)
            if verb == "DATA" and said.startswith(b"354"):
                self._content()
            elif verb == "STARTTLS" and said.startswith(b"220") and self.relay.context:
                self._wrap()
            elif verb == "QUIT":
                return

    def _wrap(self) -> None:
        assert self.relay.context
        try:
            self.sock = self.relay.context.wrap_socket(self.sock, server_side=True)
        except OSError:
            self.sock.close()
            raise

    def _content(self) -> None:
        lines: list[bytes] = []
        try:
            while (line := self._line()) != b".":
                lines.append(line.removeprefix(b".") + b"\r\n")
        except (OSError, EOFError):
            self.relay.unfinished.append(b"".join(lines))
            raise
        self.relay.messages.append(b"".join(lines))
        self.relay.ahead.append(self.buffer)
        self._say("DOT", "")

    def _say(self, verb: str, line: str) -> bytes:
        answer = self.relay.answers.get(verb, b"502 5.5.1 never heard of it\r\n")
        said = answer(line) if callable(answer) else answer
        if said == HANG:
            self.relay.wait()
        if said == RESET:
            self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        if said in (DROP, HANG, RESET):
            self.sock.close()
            raise EOFError
        self.sock.sendall(said)
        return said

    def _line(self) -> bytes:
        while b"\r\n" not in self.buffer:
            more = self.sock.recv(65536)
            if not more:
                raise EOFError
            self.buffer += more
        line, _, self.buffer = self.buffer.partition(b"\r\n")
        return line
