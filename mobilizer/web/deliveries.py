"""Web: each mail of a blast, listed by what became of it and why."""

from __future__ import annotations

from typing import Any

from flask import redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from mobilizer.delivery.ledger import DeliveryState
from mobilizer.delivery.listing import WAITING, deliveries_page, tallies
from mobilizer.delivery.progress import Tally
from mobilizer.http import installation
from mobilizer.web.asked import number_asked
from mobilizer.web.bars import kinds
from mobilizer.web.blast_head import NOT_LAUNCHED, blast_head, known_blast, place_of
from mobilizer.web.policy import allowed
from mobilizer.web.screens import results as blueprint
from mobilizer.web.words import _

STATES: dict[str, tuple[str, ...]] = {
    "": (),
    "accepted": (DeliveryState.ACCEPTED,),
    "rejected": (DeliveryState.REJECTED,),
    "skipped": (DeliveryState.SKIPPED,),
    "uncertain": (DeliveryState.UNCERTAIN,),
    "waiting": WAITING,
}


@blueprint.get("/blasts/<slug>/deliveries")
@allowed("members.see")
def deliveries(slug: str) -> ResponseReturnValue:
    """One line a member: the language they got, what became of the mail, and why."""
    here = installation()
    state = request.args.get("state", "") if request.args.get("state", "") in STATES else ""
    reason = request.args.get("reason")
    with here.database.read() as session:
        blast = known_blast(session, slug)
        if blast.state in NOT_LAUNCHED:
            return redirect(place_of(blast), 303)
        tally = tallies(session, [blast.id])[blast.id]
        page = deliveries_page(
            session, here.keyring, blast.id, states=STATES[state], reason=reason, after=number_asked("after") or 0
        )
        shown = blast_head(blast)
    onward: dict[str, Any] = {"slug": slug, "state": state or None, "reason": reason}
    return render_template(
        "results/deliveries.html",
        blast=shown,
        page=page,
        tabs=_tabs(slug, state, tally),
        state=state,
        reason=reason,
        onward=url_for(".deliveries", **onward, after=page.next) if page.next else None,
        start=url_for(".deliveries", **onward) if number_asked("after") else None,
    )


def _tabs(slug: str, state: str, tally: Tally) -> list[tuple[str, str, bool, int]]:
    counts = {"": tally.total, **{kind: getattr(tally, kind) for kind, _name in kinds()}}
    return [
        (name, url_for(".deliveries", slug=slug, state=kind or None), kind == state, counts[kind])
        for kind, name in [("", _("All")), *kinds()]
    ]
