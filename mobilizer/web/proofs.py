"""Web: proofs. The mail as it will be, sent to any address, never counted."""

from __future__ import annotations

from flask import abort, flash, redirect, request, url_for
from flask.typing import ResponseReturnValue
from redis.exceptions import RedisError

from mobilizer.appeals.completeness import complete_languages
from mobilizer.appeals.media import BadMedia
from mobilizer.audience.addresses import BadAddress, normalise
from mobilizer.delivery.proof import send_proof
from mobilizer.http import installation
from mobilizer.languages import language
from mobilizer.limits import limiter, whence
from mobilizer.message.compile import CompileError
from mobilizer.message.headers import Unaddressable
from mobilizer.organizers.audit import record
from mobilizer.transport.outcomes import Accepted, Deferred, Rejected, Trouble
from mobilizer.web.blast_head import blast_head, known_blast
from mobilizer.web.check_page import Tried, page, why_not
from mobilizer.web.launch import CHECK
from mobilizer.web.policy import allowed, me
from mobilizer.web.screens import blasts as blueprint
from mobilizer.web.words import _, problem

PROOFS = "30 per hour"


@blueprint.errorhandler(RedisError)
def _no_counter(_error: RedisError) -> ResponseReturnValue:
    # A proof goes to any address: one that can't be counted is not sent.
    abort(503)


@blueprint.post("/blasts/<slug>/proof")
@allowed("blasts.proof")
@limiter.limit(PROOFS, key_func=whence)
def proof(slug: str) -> ResponseReturnValue:
    """Send one proof, and say what the relay answered."""
    tried = Tried(address=request.form.get("address", "").strip(), language=request.form.get("language", ""))
    with installation().database.read() as session:
        blast = known_blast(session, slug)
        shown, blast_id, offered = blast_head(blast), blast.id, complete_languages(blast.appeal)
    if not shown.open:
        return redirect(url_for("blasts.progress", slug=slug), 303)
    if tried.language not in offered:
        abort(400)
    try:
        address = normalise(tried.address)
        _send(blast_id, tried.language, address)
    except BadAddress as error:
        tried.address_problem = problem(error.problem)
        return page(CHECK, slug, tried, 422)
    except Unaddressable:
        tried.address_problem = _("The part before the @ has letters that many relays refuse. Take another address.")
        return page(CHECK, slug, tried, 422)
    except (CompileError, BadMedia) as error:
        tried.problems = why_not(error)
        return page(CHECK, slug, tried, 422)
    return redirect(url_for("blasts.check", slug=slug, _anchor="proof"), 303)


def _send(blast_id: int, tag: str, address: str) -> None:
    try:
        answer = send_proof(installation(), blast_id, tag, address, me().name)
    except Trouble as trouble:
        flash(_("Nothing was sent, the relay could not be used: %(reason)s", reason=problem(trouble.problem)), "bad")
        return
    with installation().database.write() as session:
        record(session, me().id, "blast.proof", f"blast:{blast_id}", language=tag)
    if isinstance(answer, Accepted):
        flash(_("The proof in %(language)s is on its way.", language=language(tag).own_name), "good")
    elif isinstance(answer, Rejected | Deferred):
        flash(_("The relay refused the proof: %(reply)s", reply=answer.reply), "bad")
    else:
        flash(_("The proof may or may not have been sent: the relay gave no clear answer."), "warn")
