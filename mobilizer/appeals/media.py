"""Appeals: the media folder. Posters, videos, captions: each named by its content, so a name never changes meaning."""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Callable
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import IO
from urllib.parse import urlsplit

from mobilizer.appeals.captions import caption_problems
from mobilizer.problems import N_, Problem

MEGABYTE = 1_000_000
MAX_BYTES = {"poster": 15 * MEGABYTE, "video": 500 * MEGABYTE, "captions": 1 * MEGABYTE}

HEAD, PIECE = 4096, 1 << 20  # bytes that tell what a file is; bytes copied at a time
MOST_LINK = 500

_NAME = re.compile(r"[0-9a-f]{40}\.(?:jpg|png|webp|mp4|webm|vtt)")


class BadMedia(ValueError):
    """Not a file that can be used here; `problem` says why, `others` what else is wrong with it."""

    def __init__(self, problem: Problem, *others: Problem) -> None:
        super().__init__(problem.code)
        self.problem = problem
        self.others = others


def keep(media_folder: Path, data: bytes, suffix: str) -> str:
    """Put a file into the media folder and return its name there; the same content always has the same name.

    `suffix` is what it claims to be ('.jpg', '.mp4', '.vtt' ...). Raises BadMedia where the content says otherwise, or
    is too big.
    """
    real = check(data, suffix)
    name = hashlib.blake2b(data, digest_size=20).hexdigest() + real
    path = media_folder / name
    if not path.exists():
        media_folder.mkdir(parents=True, exist_ok=True)
        # Written aside and renamed: nobody is ever served half a file.
        with NamedTemporaryFile(dir=media_folder, prefix=".new-", delete=False) as file:
            file.write(data)
        Path(file.name).chmod(0o644)
        os.replace(file.name, path)
    return name


def check(data: bytes, suffix: str) -> str:
    """The usual suffix of a content that is what `suffix` says. Raises BadMedia."""
    wanted = {".jpeg": ".jpg", ".m4v": ".mp4"}.get(suffix.lower(), suffix.lower())
    known = _KINDS.get(wanted)
    if known is None:
        message = N_(
            "A “%(suffix)s” file cannot be used here. Give a picture (JPEG, PNG, WebP), a video (MP4, WebM) or "
            "captions (WebVTT)."
        )
        raise BadMedia(Problem("media.unknown_kind", message, {"suffix": suffix[:20]}))
    kind, is_one = known
    if len(data) > MAX_BYTES[kind]:
        raise BadMedia(_too_big(len(data), kind))
    if not is_one(data):
        message = N_("The file is not what its name says (“%(suffix)s”). Save it anew in that format.")
        raise BadMedia(Problem("media.not_what_it_says", message, {"suffix": wanted}, where=kind))
    if kind == "captions" and (problems := caption_problems(data.decode("utf-8-sig"))):
        raise BadMedia(*problems)
    return wanted


def keep_stream(media_folder: Path, stream: IO[bytes], suffix: str) -> str:
    """As `keep`, for what is too large for memory: copied a piece at a time. Raises BadMedia."""
    real = check(stream.read(HEAD), suffix)
    kind = _KINDS[real][0]
    stream.seek(0)
    media_folder.mkdir(parents=True, exist_ok=True)
    print_ = hashlib.blake2b(digest_size=20)
    with NamedTemporaryFile(dir=media_folder, prefix=".new-", delete=False) as file:
        size = 0
        while piece := stream.read(PIECE):
            size += len(piece)
            if size > MAX_BYTES[kind]:
                break
            print_.update(piece)
            file.write(piece)
    if size > MAX_BYTES[kind]:
        Path(file.name).unlink()
        raise BadMedia(_too_big(size, kind))
    name = print_.hexdigest() + real
    Path(file.name).chmod(0o644)
    os.replace(file.name, media_folder / name)
    return name


def is_film_link(value: str) -> bool:
    """Whether a film is a page of a host, not a file of ours: an https address."""
    try:
        parts = urlsplit(value)
    except ValueError:
        return False
    host = parts.hostname or ""
    return parts.scheme == "https" and "." in host and "@" not in parts.netloc and len(value) <= MOST_LINK


def is_kept_name(name: str) -> bool:
    """Whether a name has the form that `keep` gives: safe to join to the media folder."""
    return _NAME.fullmatch(name) is not None


def kind_of(name: str) -> str:
    """'poster', 'video' or 'captions', by a name that `keep` gave. Raises KeyError."""
    return _KINDS[name[name.rindex(".") :]][0]


def _too_big(size: int, kind: str) -> Problem:
    message = N_("The file has %(size)d MB; at most %(most)d MB can be used. Make a smaller one.")
    params = {"size": -(-size // MEGABYTE), "most": MAX_BYTES[kind] // MEGABYTE}
    return Problem("media.too_big", message, params, where=kind)


def _is_captions(data: bytes) -> bool:
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return False
    return re.match(r"WEBVTT(?:[ \t\r\n]|\Z)", text) is not None


# By the first bytes: JPEG (ITU-T T.81), PNG (RFC 2083), WebP (RFC 9649), MP4 (ISO 14496-12), WebM (RFC 8794), WebVTT.
_KINDS: dict[str, tuple[str, Callable[[bytes], bool]]] = {
    ".jpg": ("poster", lambda data: data.startswith(b"\xff\xd8\xff")),
    ".png": ("poster", lambda data: data.startswith(b"\x89PNG\r\n\x1a\n")),
    ".webp": ("poster", lambda data: data[:4] == b"RIFF" and data[8:12] == b"WEBP"),
    ".mp4": ("video", lambda data: data[4:8] == b"ftyp"),
    ".webm": ("video", lambda data: data.startswith(b"\x1a\x45\xdf\xa3")),
    ".vtt": ("captions", _is_captions),
}
