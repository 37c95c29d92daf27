"""Web: the share tree. How a blast spread from its mail, step by step, and by language, country and channel."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from flask import redirect, render_template
from flask.typing import ResponseReturnValue
from markupsafe import Markup

from mobilizer.engagement.ranges import Range
from mobilizer.engagement.tree import Branch, Tree, tree
from mobilizer.http import installation
from mobilizer.problems import N_
from mobilizer.web.blast_head import NOT_LAUNCHED, blast_head, known_blast, place_of
from mobilizer.web.policy import allowed
from mobilizer.web.rates import joined_range, segment_url
from mobilizer.web.result_views import views
from mobilizer.web.screens import results as blueprint
from mobilizer.web.words import _, country_name, own_name

SHOWN = 12  # of each kind of branch; what is left is told together
# As public.sharing calls them; those that are names are not translated.
CHANNELS = {
    "whatsapp": "WhatsApp",
    "telegram": "Telegram",
    "facebook": "Facebook",
    "x": "X",
    "signal": "Signal",
    "bluesky": "Bluesky",
    "qr": N_("QR code"),
    "email": N_("E-mail"),
    "sms": N_("Text message"),
    "copy": N_("Copied link"),
    "native": N_("The phone’s own share menu"),
    "mail": N_("The link in the mail itself"),
}


@dataclass(frozen=True, slots=True)
class Row:
    """A step or a branch: how many could pass it on, what friends did, who joined, and how far chance may lead."""

    name: str | Markup
    members: int
    visits: int
    watches: int
    joined: int
    range: Range | None


@dataclass(frozen=True, slots=True)
class Spread:
    """A share tree as its page has it; `most` is the number that the longest bar stands for."""

    whole: Row
    steps: tuple[Row, ...]
    branches: tuple[tuple[str, tuple[Row, ...]], ...]
    most: int


@blueprint.get("/blasts/<slug>/results/shares")
@allowed("results.see")
def spread(slug: str) -> ResponseReturnValue:
    """One blast's tree."""
    with installation().database.read() as session:
        blast = known_blast(session, slug)
        if blast.state in NOT_LAUNCHED:
            return redirect(place_of(blast), 303)
        found, head, number = tree(session, blast.id), blast_head(blast), blast.id
    return render_template(
        "results/shares.html",
        blast=head,
        spread=spread_of(found),
        recruiters=segment_url({"rule": "recruited_in_blast", "blast": number}) if found.joined else "",
        views=views(slug, ".spread"),
    )


def spread_of(found: Tree) -> Spread:
    """A tree in words."""
    steps = tuple(
        Row(str(one.step), one.sharers, one.visits, one.watches, one.joined, joined_range(one.joined, one.sharers))
        for one in found.generations
    )
    visits, watches = sum(one.visits for one in steps), sum(one.watches for one in steps)
    whole = Row(_("Together"), found.reached, visits, watches, found.joined, joined_range(found.joined, found.reached))
    branches = (
        (_("Language of who shared it"), _rows(found.languages, own_name)),
        (_("Country of who shared it"), _rows(found.countries, country_name)),
        (_("Where it was shared"), _rows(found.channels, _channel)),
    )
    return Spread(whole, steps, branches, max((one.joined for one in steps), default=0))


def _rows(branches: Sequence[Branch], name: Callable[[str], str | Markup]) -> tuple[Row, ...]:
    """Those through whom somebody joined, most first."""
    told = [one for one in branches if one.joined]
    rows = [_row(name(one.key) if one.key else _("Not known"), one.members, one.joined) for one in told[:SHOWN]]
    if rest := told[SHOWN:]:
        rows.append(_row(_("All the others"), sum(one.members for one in rest), sum(one.joined for one in rest)))
    return tuple(rows)


def _row(name: str | Markup, members: int, joined: int) -> Row:
    return Row(name, members, 0, 0, joined, joined_range(joined, members))


def _channel(code: str) -> str:
    return _(CHANNELS[code]) if code in CHANNELS else code
