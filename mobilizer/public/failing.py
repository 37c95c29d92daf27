"""Public: when a member's page fails. It says so kindly and in their language, and that nothing was changed.

The organizers' pages of errors speak of roles and operators, in fewer languages.
"""

from __future__ import annotations

from flask import Blueprint, make_response
from sqlalchemy.exc import DBAPIError
from werkzeug.exceptions import HTTPException
from werkzeug.wrappers import Response as Answer

from mobilizer.http import note_failure
from mobilizer.public.answers import later, missing, page
from mobilizer.public.tongues import visitor_language


def install_failing(blueprint: Blueprint) -> None:
    """Answer whatever goes wrong on the blueprint's pages."""
    blueprint.register_error_handler(HTTPException, _refused)
    blueprint.register_error_handler(Exception, _broken)


def _refused(error: HTTPException) -> Answer:
    """What the request itself is to blame for: people come to it by a broken link, or by what is far too long."""
    if error.response is not None:
        return make_response(error.response)
    code = error.code or 500
    if code >= 500:
        return later(code)
    return missing() if code == 404 else page("refused.html", visitor_language(), code)


def _broken(error: Exception) -> Answer:
    """A database that is away or full comes back: who asks by themselves, as a mail service does, is to ask again."""
    away = note_failure(error) or isinstance(error, DBAPIError)
    return later(503 if away else 500)
