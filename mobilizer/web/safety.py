"""Web: the safety of one's own account. The second factor, its recovery codes, and where one is signed in."""

from __future__ import annotations

from datetime import UTC, datetime

from flask import flash, g, redirect, render_template, request, session, url_for
from flask.typing import ResponseReturnValue
from markupsafe import Markup

from mobilizer.http import installation
from mobilizer.limits import SIGN_IN_BY_ACCOUNT, limiter, own
from mobilizer.organizers import factors
from mobilizer.organizers.audit import record
from mobilizer.organizers.sessions import browsers, end_others
from mobilizer.organizers.users import User
from mobilizer.web.agents import stay_signed_in
from mobilizer.web.policy import TOKEN_KEY, allowed, me
from mobilizer.web.proving import proven
from mobilizer.web.screens import settings as blueprint
from mobilizer.web.words import _


@blueprint.get("/safety")
@allowed("settings.own")
def safety() -> ResponseReturnValue:
    """Whether there is a second factor, and every browser one is signed in with."""
    with installation().database.read() as reading:
        return render_template(
            "settings/safety.html",
            codes_left=factors.codes_left(reading, me().id),
            needed=me().role in factors.roles_that_need_one(reading),
            browsers=browsers(reading, me().id, session[TOKEN_KEY]),
        )


@blueprint.get("/safety/factor")
@allowed("settings.own")
def factor() -> ResponseReturnValue:
    """A fresh secret as a picture for one's app, and where its first code goes."""
    return redirect(url_for("settings.safety"), 303) if me().has_factor else _secret_page(factors.new_secret())


@blueprint.post("/safety/factor")
@allowed("settings.own")
@proven
def begin_factor() -> ResponseReturnValue:
    """Begin to use a second factor, once its first code is right: every other browser is signed out."""
    here, secret = installation(), request.form.get("secret", "")
    if me().has_factor:
        return redirect(url_for("settings.safety"), 303)
    with limiter.limit(SIGN_IN_BY_ACCOUNT, key_func=own), here.database.write() as writing:
        user, code = writing.get_one(User, me().id), request.form.get("code", "")
        codes = factors.begin_factor(writing, here.keyring, user, secret, code, datetime.now(UTC))
        if not codes:
            return _secret_page(
                secret, _("This is not the code that the app shows now. Check its clock, and try the next one.")
            ), 422
        record(writing, me().id, "factor.begin", f"user:{me().id}")
        stay_signed_in(writing, me().id)
    return render_template("settings/codes.html", codes=codes, begun=True)


@blueprint.post("/safety/codes")
@allowed("settings.own")
@proven
def renew_codes() -> ResponseReturnValue:
    """Fresh recovery codes, shown this once; the old ones are good no more."""
    here = installation()
    if not me().has_factor:
        return redirect(url_for("settings.safety"), 303)
    with here.database.write() as writing:
        codes = factors.renew_codes(writing, here.keyring, writing.get_one(User, me().id))
        record(writing, me().id, "factor.codes", f"user:{me().id}")
    return render_template("settings/codes.html", codes=codes, begun=False)


@blueprint.post("/safety/factor/end")
@allowed("settings.own")
@proven
def end_factor() -> ResponseReturnValue:
    """Do without a second factor again; where the role needs one, the next page asks for a new one."""
    with installation().database.write() as writing:
        factors.end_factor(writing, writing.get_one(User, me().id))
        record(writing, me().id, "factor.end", f"user:{me().id}")
        stay_signed_in(writing, me().id)
    flash(_("The second factor is gone. Every other browser was signed out."), "good")
    return redirect(url_for("settings.safety"), 303)


@blueprint.post("/safety/browsers")
@allowed("settings.own")
def sign_out_elsewhere() -> ResponseReturnValue:
    """Sign out everywhere but here, or where one of the lines says."""
    with installation().database.write() as writing:
        gone = end_others(writing, me().id, session[TOKEN_KEY], request.form.get("mark", ""))
        record(writing, me().id, "session.end_others", f"user:{me().id}", count=gone)
    flash(_("Signed out there."), "good")
    return redirect(url_for("settings.safety"), 303)


def _secret_page(secret: str, error: str = "") -> str:
    address = factors.address_of(secret, me().email, installation().settings.organisation)
    picture = Markup(factors.picture(address))  # noqa: S704 - drawn by segno; the text in it is squares by now
    return render_template("settings/factor.html", secret=secret, picture=picture, error=error, forced=g.owes_factor)
