"""Web: proofs. The mail as it will be, sent to any address, never counted."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Sequence
from itertools import product

from flask import abort, flash, redirect, request, url_for
from flask.typing import ResponseReturnValue
from redis.exceptions import RedisError

from mobilizer.appeals.completeness import complete_languages
from mobilizer.appeals.media import BadMedia
from mobilizer.appeals.variants import FIRST
from mobilizer.audience.addresses import BadAddress, normalise
from mobilizer.delivery.proof import send_proof
from mobilizer.delivery.testers import add_tester, drop_tester, testers
from mobilizer.http import installation
from mobilizer.languages import language
from mobilizer.limits import limiter, whence
from mobilizer.message.compile import CompileError
from mobilizer.message.headers import Unaddressable
from mobilizer.organizers.audit import record
from mobilizer.transport.outcomes import Accepted, Deferred, Rejected, Trouble, Uncertain
from mobilizer.web.asked import MOST
from mobilizer.web.blast_head import blast_head, known_blast
from mobilizer.web.check_page import Tried, page, proof_choices, why_not
from mobilizer.web.launch import CHECK
from mobilizer.web.policy import allowed, me
from mobilizer.web.screens import blasts as blueprint
from mobilizer.web.words import _, ngettext, problem

PROOFS = "30 per hour"
EVERY_LANGUAGE = "*"
EVERY_LANGUAGE_COSTS = 3  # of those in an hour
PATIENCE_SECONDS = 20.0  # somebody waits before a page


@blueprint.errorhandler(RedisError)
def _no_counter(_error: RedisError) -> ResponseReturnValue:
    # A proof goes to any address: one that can't be counted is not sent.
    abort(503)


@blueprint.post("/blasts/<slug>/proof")
@allowed("blasts.proof")
@limiter.limit(PROOFS, key_func=whence, cost=lambda: EVERY_LANGUAGE_COSTS if _asked_for_all() else 1)
def proof(slug: str) -> ResponseReturnValue:
    """Send a proof in one language or in each, to an address and to the testers; say what the relay answered."""
    tried = Tried(address=request.form.get("address", "").strip(), language=request.form.get("language", ""))
    here = installation()
    with here.database.read() as session:
        blast = known_blast(session, slug)
        shown, blast_id, offered = blast_head(blast), blast.id, complete_languages(blast.appeal)
        known = [value for value, _name in proof_choices(blast)]
        saved = [one.address for one in testers(session, here.keyring)] if "testers" in request.form else []
    if not shown.open:
        return redirect(url_for("blasts.progress", slug=slug), 303)
    tags = offered if _asked_for_all() else (tried.language,)
    if not set(tags) <= set(known):
        abort(400)
    try:
        typed = [normalise(tried.address)] if tried.address or not saved else []
        _send(blast_id, tags, list(dict.fromkeys([*typed, *saved])))
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


@blueprint.post("/blasts/<slug>/testers")
@allowed("blasts.proof")
def save_tester(slug: str) -> ResponseReturnValue:
    """Save an address that proofs go to."""
    here, tried = installation(), Tried()
    typed = request.form.get("tester", "").strip()
    with here.database.write() as session:
        known_blast(session, slug)
        problems = add_tester(session, here.keyring, typed)
        if not problems:
            record(session, me().id, "tester.add", "testers")
    if problems:
        tried.tester, tried.tester_problem = typed, problem(problems[0])
        return page(CHECK, slug, tried, 422)
    return redirect(url_for("blasts.check", slug=slug, _anchor="proof"), 303)


@blueprint.post("/blasts/<slug>/testers/<int:number>/remove")
@allowed("blasts.proof")
def remove_tester(slug: str, number: int) -> ResponseReturnValue:
    """Send no proofs to a tester any more."""
    with installation().database.write() as session:
        known_blast(session, slug)
        drop_tester(session, min(number, MOST))
        record(session, me().id, "tester.remove", "testers")
    return redirect(url_for("blasts.check", slug=slug, _anchor="proof"), 303)


def _asked_for_all() -> bool:
    return request.form.get("language") == EVERY_LANGUAGE


def _send(blast_id: int, tags: Sequence[str], addresses: Sequence[str]) -> None:
    """One proof after another, until all are sent, the relay can't be used or it has taken too long."""
    answers, begun = Counter[str](), time.monotonic()
    refused = ""
    for tag, address in product(tags, addresses):
        if time.monotonic() - begun > PATIENCE_SECONDS:
            answers["late"] += 1
            continue
        try:
            words, _colon, variant = tag.partition(":")
            answer = send_proof(installation(), blast_id, words, address, me().name, variant or FIRST)
        except Trouble as trouble:
            reason = problem(trouble.problem)
            flash(_("Nothing was sent, the relay could not be used: %(reason)s", reason=reason), "bad")
            break
        answers[type(answer).__name__] += 1
        refused = answer.reply if isinstance(answer, Rejected | Deferred) else refused
    if answers:
        with installation().database.write() as session:
            record(session, me().id, "blast.proof", f"blast:{blast_id}", language=" ".join(tags), count=answers.total())
    _tell(answers, tags, refused)


def _tell(answers: Counter[str], tags: Sequence[str], refused: str) -> None:
    accepted = answers.pop(Accepted.__name__, 0)
    if accepted == 1 and len(tags) == 1:
        flash(
            _("The proof in %(language)s is on its way.", language=language(tags[0].partition(":")[0]).own_name), "good"
        )
    elif accepted:
        flash(ngettext("%(n)s proof is on its way.", "%(n)s proofs are on their way.", accepted), "good")
    if refused:
        flash(_("The relay refused the proof: %(reply)s", reply=refused), "bad")
    if late := answers.pop("late", 0):
        flash(
            ngettext(
                "%(n)s proof was not sent: the relay is slow. Try again with fewer languages.",
                "%(n)s proofs were not sent: the relay is slow. Try again with fewer languages.",
                late,
            ),
            "warn",
        )
    if answers[Uncertain.__name__]:
        flash(_("The proof may or may not have been sent: the relay gave no clear answer."), "warn")
