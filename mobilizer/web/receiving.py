"""Web: what comes in with a request. A file of members never lies in the clear, not even while it arrives."""

from __future__ import annotations

from typing import IO

from flask import Request

from mobilizer.audience.uploads import Incoming
from mobilizer.http import installation


class OurRequest(Request):
    """A request whose files of members are sealed as they arrive, a piece at a time; they go when it is over."""

    def _get_file_stream(
        self,
        total_content_length: int | None,
        content_type: str | None,
        filename: str | None = None,
        content_length: int | None = None,
    ) -> IO[bytes]:
        # By itself Werkzeug keeps what is large in a temporary file, as it is.
        if self.blueprint == "imports":
            return Incoming(installation().settings.home)  # type: ignore[return-value]
        return super()._get_file_stream(total_content_length, content_type, filename, content_length)
