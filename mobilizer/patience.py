"""Faces: patience. Who sends a request slowly, or takes an answer slowly, keeps nobody else waiting.

A request has a thread of the web server for itself until its body is here and its answer is on its way. Some of the
threads may wait for who is slow, never all of them; and nobody is waited for without end.
"""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future
from concurrent.futures import TimeoutError as TookTooLong
from io import BytesIO, RawIOBase
from itertools import chain
from typing import IO, TYPE_CHECKING, Any

from werkzeug.exceptions import HTTPException, RequestTimeout, ServiceUnavailable

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

AT_ONCE_SECONDS = 0.05  # a body that is here by then has kept nobody waiting
SLOWEST = 1000  # bytes a second, after the patience that each has
PIECE = 16 * 1024  # of a body
AHEAD = 64 * 1024  # bodies up to this are read before the application begins, whatever it has in hand then
WHOLE = 256 * 1024  # answers up to this are handed over in one
RETRY_SECONDS = 20


class Patience:
    """Stands before an application that `threads` answer for at once."""

    def __init__(self, inner: WSGIApplication, threads: int, seconds: float) -> None:
        """`seconds`: how long a body may take, and more the larger it is."""
        self._inner, self._seconds = inner, seconds
        self._slow = threading.BoundedSemaphore(max(1, threads - math.ceil(threads / 4)))

    def __call__(self, environ: WSGIEnvironment, start: StartResponse) -> Iterable[bytes]:
        """Answer one request (PEP 3333)."""
        if environ.get("CONTENT_LENGTH", "") in ("", "0") and "HTTP_TRANSFER_ENCODING" not in environ:
            return self._answer(environ, start)
        body = Body(environ["wsgi.input"], self._slow, self._seconds)
        length = environ.get("CONTENT_LENGTH", "")
        try:
            small = length.isdecimal() and int(length) <= AHEAD
            environ["wsgi.input"] = BytesIO(body.read(int(length))) if small else body
            return self._answer(environ, start)
        except (RequestTimeout, ServiceUnavailable) as late:
            return _refused(late)(environ, start)

    def _answer(self, environ: WSGIEnvironment, start: StartResponse) -> Iterable[bytes]:
        said: list[Any] = []

        def note(*status_and_headers: Any) -> Callable[[bytes], object]:
            said[:] = status_and_headers
            return _no_writing

        whole = self._inner(environ, note)
        answer = whole if isinstance(whole, list) else self._taken(whole)
        if answer is None:
            return _refused(ServiceUnavailable(retry_after=RETRY_SECONDS))(environ, start)
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
        if not self._slow.acquire(blocking=False):
            _close(answer)
            return None
        return Leaving(chain(pieces, rest), answer, self._slow)


class Body(RawIOBase):
    """A request's body on its way in. Reading raises RequestTimeout where it comes too slowly, and ServiceUnavailable
    where too many do."""

    def __init__(self, stream: IO[bytes], slow: threading.BoundedSemaphore, seconds: float) -> None:
        self._stream, self._slow = stream, slow
        self._seconds, self._began, self._came = seconds, time.monotonic(), 0
        self._over = False

    def readable(self) -> bool:
        """It is."""
        return True

    def readinto(self, into: WriteableBuffer, /) -> int:
        """Read a piece; 0 at the end, and where it was given up."""
        view = memoryview(into).cast("B")
        piece = self._piece(min(len(view), PIECE))
        view[: len(piece)] = piece
        return len(piece)

    def read(self, size: int = -1, /) -> bytes:
        """Read so many bytes, less at the end only; all there are, where no number is given."""
        pieces: list[bytes] = []
        while size:
            piece = self._piece(PIECE if size < 0 else min(size, PIECE))
            if not piece:
                break
            pieces.append(piece)
            size = size if size < 0 else size - len(piece)
        return b"".join(pieces)

    def _piece(self, size: int) -> bytes:
        if self._over or not size:
            return b""
        coming = _begun(self._stream.read, size)
        try:
            piece = self._awaited(coming, size)
        except HTTPException:
            self._over = True
            raise
        self._came += len(piece)
        return piece

    def _awaited(self, coming: Future[bytes], size: int) -> bytes:
        try:
            return coming.result(AT_ONCE_SECONDS)
        except TookTooLong:
            pass
        if not self._slow.acquire(blocking=False):
            raise ServiceUnavailable(retry_after=RETRY_SECONDS)
        try:
            until = self._began + self._seconds + (self._came + size) / SLOWEST
            return coming.result(max(0.0, until - time.monotonic()))
        except TookTooLong:
            raise RequestTimeout from None
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


def _begun(read: Callable[[int], bytes], size: int) -> Future[bytes]:
    """A reading that can be waited for no longer than one wants to. It ends with its connection, at the latest."""
    coming: Future[bytes] = Future()

    def carry() -> None:
        try:
            coming.set_result(read(size))
        except BaseException as error:
            coming.set_exception(error)

    threading.Thread(target=carry, name="body", daemon=True).start()
    return coming


def _refused(why: HTTPException) -> HTTPException:
    """The same as an answer after which the connection is closed: what comes on it is not the next request."""
    answer = why.get_response()
    answer.headers["Connection"] = "close"
    return type(why)(response=answer)


def _close(answer: Iterable[bytes]) -> None:
    if close := getattr(answer, "close", None):
        close()


def _no_writing(_data: bytes) -> object:
    raise RuntimeError("answers are returned, not written")
