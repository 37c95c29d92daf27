"""Web: delivery troubles. Why mails were refused, cause by cause; and by whom, for those who may see members."""

from __future__ import annotations

from flask import redirect, render_template, url_for
from flask.typing import ResponseReturnValue

from mobilizer.delivery.troubles import domains, refused
from mobilizer.http import installation
from mobilizer.web.blast_head import NOT_LAUNCHED, blast_head, known_blast, place_of
from mobilizer.web.policy import allowed, permitted
from mobilizer.web.reasons import provider_name, reason_text
from mobilizer.web.result_views import views
from mobilizer.web.screens import results as blueprint


@blueprint.get("/blasts/<slug>/results/troubles")
@allowed("results.see")
def troubles(slug: str) -> ResponseReturnValue:
    """The causes of what was refused, and the domains that refused most."""
    here, sees_members = installation(), permitted("members.see")
    with here.database.read() as session:
        blast = known_blast(session, slug)
        if blast.state in NOT_LAUNCHED:
            return redirect(place_of(blast), 303)
        causes = refused(session, blast.id)
        places = domains(session, here.keyring, blast.id) if sees_members else []
        head = blast_head(blast)
    return render_template(
        "results/troubles.html",
        blast=head,
        # A reply may quote an address, so only who may see members sees one.
        causes=[(reason_text(one.reason, one.code), provider_name(one.provider), one) for one in causes],
        sees_members=sees_members,
        domains=places,
        each=lambda reason: url_for(".deliveries", slug=slug, state="rejected", reason=reason),
        views=views(slug, ".troubles"),
    )
