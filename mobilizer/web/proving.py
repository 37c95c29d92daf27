"""Web: showing again who one is, before what can't be taken back. The form waits, and nothing of it is lost."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from functools import wraps
from typing import ParamSpec

from flask import g, render_template, request, session
from flask.typing import ResponseReturnValue

from mobilizer.http import installation
from mobilizer.limits import SIGN_IN_BY_ACCOUNT, limiter, own
from mobilizer.organizers.factors import is_factor
from mobilizer.organizers.passwords import is_password
from mobilizer.organizers.sessions import prove
from mobilizer.organizers.users import User
from mobilizer.web.policy import TOKEN_KEY, me
from mobilizer.web.words import _

P = ParamSpec("P")

PASSWORD, CODE = "proof_password", "proof_code"
_OURS = frozenset({PASSWORD, CODE, "csrf_token"})


def proven(view: Callable[P, ResponseReturnValue]) -> Callable[P, ResponseReturnValue]:
    """Let a form through only from who has shown in the last ten minutes who they are, by signing in or here.

    From others it is kept on the page that asks, and goes on by itself once they have. For forms without files; goes
    beneath `allowed`.
    """

    @wraps(view)
    def asked(*args: P.args, **kwargs: P.kwargs) -> ResponseReturnValue:
        if g.proved or _shown():
            return view(*args, **kwargs)
        tried = PASSWORD in request.form
        wrong = _("That is not right. Try again.") if tried else ""
        kept = [(name, value) for name, value in request.form.items(multi=True) if name not in _OURS]
        return render_template("prove.html", kept=kept, wrong=wrong, to=request.full_path.rstrip("?")), 422

    asked.proven = True  # type: ignore[attr-defined]
    return asked


def _shown() -> bool:
    """Whether the form brings the password or the second factor; this browser is then good for ten minutes more."""
    password, code = request.form.get(PASSWORD, ""), request.form.get(CODE, "")
    if not password and not code:
        return False
    with limiter.limit(SIGN_IN_BY_ACCOUNT, key_func=own):
        here = installation()
        with here.database.read() as reading:
            known = is_password(reading.get_one(User, me().id).password_hash, password) if password else False
        with here.database.write() as writing:
            user = writing.get_one(User, me().id)
            fine = known or is_factor(writing, here.keyring, user, code, datetime.now(UTC))
            if fine:
                prove(writing, session[TOKEN_KEY])
    return fine
