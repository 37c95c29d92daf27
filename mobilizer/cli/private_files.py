"""Face: a file of people that the command line writes: for its owner's eyes, and there whole or not at all."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import mkstemp
from typing import TextIO


@contextmanager
def private_file(path: Path, *, replace: bool = False) -> Iterator[TextIO]:
    """A text file that nobody else may read. It is written beside its place and comes there when the block has ended
    well: who is stopped leaves no half of it.

    Raises FileExistsError where there is one already that it must not `replace`, OSError where it can't be written.
    """
    place = path.resolve()
    if place.exists() and not replace:
        raise FileExistsError(str(place))
    descriptor, name = mkstemp(prefix=f".{place.name}.", suffix=".part", dir=place.parent)
    part = Path(name)
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8", newline="") as out:
            yield out
            out.flush()
            os.fsync(out.fileno())
        if replace:
            part.replace(place)
        else:
            os.link(part, place)  # not over one that somebody else has written meanwhile
    finally:
        part.unlink(missing_ok=True)
