"""Public: files. Posters, videos and captions by their content's hash, and the brand's colours as a style sheet."""

from __future__ import annotations

from io import BytesIO

import segno
from flask import Response, send_from_directory
from werkzeug.wrappers import Response as Answer

from mobilizer.appeals.brand import brand_of
from mobilizer.appeals.media import is_kept_name
from mobilizer.blasts.renditions import NEUTRAL
from mobilizer.http import installation, on_discreet_site
from mobilizer.public.answers import A_YEAR, missing
from mobilizer.public.brand import stylesheet
from mobilizer.public.film import address
from mobilizer.public.sharing import is_code
from mobilizer.slugs import is_slug

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


def qr(code: str, slug: str) -> Answer:
    """A share link as a QR code (ISO/IEC 18004), to be held up or printed. Drawn for any code: it asks nobody."""
    if not is_code(code) or not is_slug(slug):
        return missing()
    drawn = BytesIO()
    segno.make(address(f"/s/{code}/{slug}?c=qr", discreet=on_discreet_site()), error="m", micro=False).save(
        drawn, kind="svg", border=4, light="#fff"
    )
    response = Response(drawn.getvalue(), mimetype="image/svg+xml")
    response.headers["Cache-Control"] = "public, max-age=86400"
    response.headers["Content-Security-Policy"] = "default-src 'none'"
    return response


def brand() -> Response:
    """The brand's hue as custom properties; a style sheet of its own, because the policy allows no inline style."""
    here = installation()
    with here.database.read() as session:
        hue = NEUTRAL if on_discreet_site() else brand_of(session, here.settings.brand_colour).button
    response = Response(stylesheet(hue), mimetype="text/css")
    response.headers["Cache-Control"] = "public, max-age=300"
    return response
