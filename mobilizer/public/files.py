"""Public: files. Posters, videos and captions by their content's hash, and the brand's colours as a style sheet."""

from __future__ import annotations

from flask import Response, send_from_directory

from mobilizer.appeals.brand import brand_of
from mobilizer.appeals.media import is_kept_name
from mobilizer.http import installation
from mobilizer.public.answers import A_YEAR, missing
from mobilizer.public.brand import stylesheet

TYPES = {
    "mp4": "video/mp4",
    "webm": "video/webm",
    "vtt": "text/vtt",
    "jpg": "image/jpeg",
    "png": "image/png",
    "webp": "image/webp",
}


def media(name: str) -> Response:
    """A file of the media folder, for ever the same; ranges are served (RFC 9110, 14), so a video can be sought."""
    folder = installation().settings.media.resolve()
    if not is_kept_name(name) or not (folder / name).is_file():
        return missing()
    kind = TYPES[name.rpartition(".")[2]]
    response = send_from_directory(folder, name, mimetype=kind, conditional=True, max_age=A_YEAR)
    response.headers["Cache-Control"] = f"public, max-age={A_YEAR}, immutable"
    response.headers["Content-Security-Policy"] = "default-src 'none'"
    # Mail programs on the web draw the poster from another site.
    response.headers["Cross-Origin-Resource-Policy"] = "cross-origin"
    return response


def brand() -> Response:
    """The brand's hue as custom properties; a style sheet of its own, because the policy allows no inline style."""
    here = installation()
    with here.database.read() as session:
        hue = brand_of(session, here.settings.brand_colour).button
    response = Response(stylesheet(hue), mimetype="text/css")
    response.headers["Cache-Control"] = "public, max-age=300"
    return response
