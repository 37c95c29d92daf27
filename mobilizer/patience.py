"""Faces: patience. Who sends a request slowly, or takes an answer slowly, keeps nobody else waiting.

A request has a thread of the web server for itself until its body is here and its answer is on its way. A third
of the threads may wait for who sends, a third for who takes: pages, clicks and opens are answered meanwhile.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator
from io import BytesIO, RawIOBase
from itertools import chain
from typing import IO, TYPE_CHECKING, Any

from werkzeug.exceptions import ServiceUnavailable

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

AT_ONCE_SECONDS = 0.05  # to read a body takes a moment: who finds so many at it for longer finds slow ones
AHEAD = 64 * 1024  # bodies up to this are read before the application begins, whatever it has in hand then
WHOLE = 256 * 1024  # answers up to this are handed over in one
RETRY_SECONDS = 20


class Patience:
    """Stands before an application that `threads` answer for at once."""

    def __init__(self, inner: WSGIApplication, threads: int) -> None:
        self._inner = inner
        self._arriving, self._leaving = (threading.BoundedSemaphore(max(1, threads // 3)) for _ in range(2))

    def __call__(self, environ: WSGIEnvironment, start: StartResponse) -> Iterable[bytes]:
        """Answer one request (PEP 3333)."""
        if environ.get("CONTENT_LENGTH", "") in ("", "0") and "HTTP_TRANSFER_ENCODING" not in environ:
            return self._answer(environ, start)
        body = Body(environ["wsgi.input"], self._arriving)
        length = environ.get("CONTENT_LENGTH", "")
        try:
            small = length.isdecimal() and int(length) <= AHEAD
            environ["wsgi.input"] = BytesIO(body.read(int(length)) or b"") if small else body
            return self._answer(environ, start)
        except ServiceUnavailable as refusal:
            return refusal(environ, start)

    def _answer(self, environ: WSGIEnvironment, start: StartResponse) -> Iterable[bytes]:
        said: list[Any] = []

        def note(*status_and_headers: Any) -> Callable[[bytes], object]:
            said[:] = status_and_headers
            return _no_writing

        whole = self._inner(environ, note)
        answer = whole if isinstance(whole, list) else self._taken(whole)
        if answer is None:
            return ServiceUnavailable(retry_after=RETRY_SECONDS)(environ, start)
        start(*said)
        return answer

    def _taken(self, answer: Iterable[bytes]) -> Iterable[bytes] | None:
        """A short answer in one, which the server sends off by itself. A long one piece by piece, as fast as it is
        taken, while there is a thread for it; else None."""
        pieces, size, rest = [], 0, iter(answer)
        for piece in rest:
            pieces.append(piece)
            size += len(piece)
            if size > WHOLE:
                break
        else:
            _close(answer)
            return [b"".join(pieces)]
        if not self._leaving.acquire(blocking=False):
            _close(answer)
            return None
        return Leaving(chain(pieces, rest), answer, self._leaving)


class Body(RawIOBase):
    """A request's body on its way in. Reading raises ServiceUnavailable where too many are slow already.

    Whoever says nothing more keeps a thread until the connection ends: nobody can be woken who waits for them. So a
    proxy should take requests whole, and then pass them on.
    """

    def __init__(self, stream: IO[bytes], slow: threading.BoundedSemaphore) -> None:
        self._stream, self._slow = stream, slow

    def readable(self) -> bool:
        """It is."""
        return True

    def readinto(self, into: WriteableBuffer, /) -> int:
        """Read what there is room for; 0 at the end."""
        if not self._slow.acquire(timeout=AT_ONCE_SECONDS):
            raise ServiceUnavailable(retry_after=RETRY_SECONDS)
        try:
            view = memoryview(into).cast("B")
            piece = self._stream.read(len(view))
            view[: len(piece)] = piece
            return len(piece)
        finally:
            self._slow.release()


class Leaving:
    """A long answer on its way out. It has its thread until it is through, or its reader is gone."""

    def __init__(self, pieces: Iterator[bytes], answer: Iterable[bytes], slow: threading.BoundedSemaphore) -> None:
        self._pieces, self._answer = pieces, answer
        self._slow: threading.BoundedSemaphore | None = slow

    def __iter__(self) -> Iterator[bytes]:
        return self._pieces

    def close(self) -> None:
        """The answer is through, or nobody takes it any more (PEP 3333)."""
        slow, self._slow = self._slow, None
        if slow:
            slow.release()
        _close(self._answer)


def _close(answer: Iterable[bytes]) -> None:
    if close := getattr(answer, "close", None):
        close()


def _no_writing(_data: bytes) -> object:
    raise RuntimeError("answers are returned, not written")
