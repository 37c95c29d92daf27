"""Web: the share tree. How a blast spread from its mail, step by step, and by language, country and channel."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from math import sqrt

from flask import redirect, render_template, request
from flask.typing import ResponseReturnValue
from markupsafe import Markup
from sqlalchemy.orm import Session

from mobilizer.engagement.branches import By, steps_by
from mobilizer.engagement.crowds import CROWD, MOST_A_DAY, Posted, posted
from mobilizer.engagement.machine_acts import machine_acts
from mobilizer.engagement.own_visits import OWN
from mobilizer.engagement.ranges import Range
from mobilizer.engagement.tree import Branch, Generation, Tree, tree
from mobilizer.http import installation
from mobilizer.problems import N_
from mobilizer.web.blast_head import NOT_LAUNCHED, blast_head, known_blast, place_of
from mobilizer.web.policy import allowed
from mobilizer.web.rates import joined_range, segment_url
from mobilizer.web.result_views import views
from mobilizer.web.screens import results as blueprint
from mobilizer.web.words import _, country_name, own_name

SHOWN = 12  # of each kind of branch; what is left is told together
DRAWN = 5  # steps in the picture; a table has them all
RADIUS = 36.0  # of the largest circle in the picture, in its own units
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


BRANCHES = {
    By.LANGUAGE: N_("Language of who shared it"),
    By.COUNTRY: N_("Country of who shared it"),
    By.CHANNEL: N_("Where it was shared"),
}


@dataclass(frozen=True, slots=True)
class Row:
    """A step or a branch: how many could pass it on, what friends did (None where that can't be said), who joined, K
    and how far chance may lead it. A branch has its `key`, and the `steps` that it led to."""

    name: str | Markup
    members: int
    visits: int | None
    watches: int | None
    joined: int
    k: float | None
    range: Range | None
    key: str = ""
    steps: int = 0


@dataclass(frozen=True, slots=True)
class Circle:
    """The people at a step, as a circle within that of the visits that led to them: as many, as large. `k` led to it.

    The mail itself, step 0, is drawn as large as fits: beside it the steps could not be seen.
    """

    step: int
    people: int
    visits: int
    radius: float
    halo: float
    k: float | None


@dataclass(frozen=True, slots=True)
class Spread:
    """A share tree, or one branch of it, as its page has it; `most` is the number that the longest bar stands for."""

    whole: Row
    steps: tuple[Row, ...]
    circles: tuple[Circle, ...]
    branches: tuple[tuple[By, str, tuple[Row, ...]], ...]
    most: int


@dataclass(frozen=True, slots=True)
class Apart:
    """Visits by share links that count for no step: of machines, of members by their own link, and of crowds by links
    that were posted in public. `mostly`: one of these links brought more than all friends and other links together."""

    machines: int
    own: int
    posted: Posted
    mostly: bool

    @property
    def some(self) -> bool:
        """Whether there are any."""
        return bool(self.machines or self.own or self.posted.links)


@blueprint.get("/blasts/<slug>/results/shares")
@allowed("results.see")
def spread(slug: str) -> ResponseReturnValue:
    """One blast's tree; `of` asks for the steps of one branch, as "language:es"."""
    with installation().database.read() as session:
        blast = known_blast(session, slug)
        if blast.state in NOT_LAUNCHED:
            return redirect(place_of(blast), 303)
        found, head, number = tree(session, blast.id), blast_head(blast), blast.id
        apart = apart_from(session, found, blast.id)
        by, key = _asked(found)
        steps = steps_by(session, blast.id, found, by).get(key) if by else None
    shown = spread_of(found)
    return render_template(
        "results/shares.html",
        blast=head,
        spread=shown,
        apart=apart,
        most_a_day=MOST_A_DAY,
        part=part_of(found, by, key, steps) if by and steps else None,
        of=f"{by}:{key}" if by else "",
        choices=[(by, name, _choices(found, by)) for by, name, _rows in shown.branches],
        recruiters=segment_url({"rule": "recruited_in_blast", "blast": number}) if found.joined else "",
        views=views(slug, ".spread"),
    )


def apart_from(session: Session, found: Tree, blast_id: int) -> Apart:
    """The visits that are no part of a tree."""
    visits = {one.rule: one.visits for one in machine_acts(session, blast_id)}
    crowds = posted(session, blast_id)
    machines = sum(times for rule, times in visits.items() if rule not in (OWN, CROWD))
    people = sum(one.visits for one in found.generations) + crowds.visits
    return Apart(machines, visits.get(OWN, 0), crowds, crowds.most * 2 > people)


def spread_of(found: Tree) -> Spread:
    """A tree in words."""
    steps = tuple(_step(one) for one in found.generations)
    visits, watches = sum(one.visits or 0 for one in steps), sum(one.watches or 0 for one in steps)
    branches = tuple((by, _(BRANCHES[by]), _rows(by, branches_of(found, by))) for by in By)
    most = max((one.joined for one in steps), default=0)
    return Spread(
        _row(_("Together"), found.reached, found.joined, visits, watches), steps, _circles(found), branches, most
    )


def part_of(found: Tree, by: By, key: str, generations: Sequence[Generation]) -> Spread:
    """One branch of a tree in words, step by step."""
    steps = tuple(_step(one) for one in generations)
    branch = next(one for one in branches_of(found, by) if one.key == key)
    watches = None if by is By.CHANNEL else sum(one.watches or 0 for one in steps)
    whole = _row(name_of(by, key), branch.members, branch.joined, sum(one.visits or 0 for one in steps), watches)
    return Spread(whole, steps, (), (), max((one.joined for one in steps), default=0))


def branches_of(found: Tree, by: By) -> tuple[Branch, ...]:
    """The branches of a tree, most joined first."""
    return {By.LANGUAGE: found.languages, By.COUNTRY: found.countries, By.CHANNEL: found.channels}[by]


def name_of(by: By, key: str) -> str | Markup:
    """What a branch is called."""
    if not key:
        return _("Not known")
    return _NAMES[by](key)


def _asked(found: Tree) -> tuple[By | None, str]:
    """The branch that the address asks for; none where nobody joined through it."""
    by, _colon, key = request.args.get("of", "").partition(":")
    known = by in list(By) and any(one.key == key and one.joined for one in branches_of(found, By(by)))
    return (By(by), key) if known else (None, "")


def _choices(found: Tree, by: By) -> list[tuple[str, str]]:
    """(what is asked for, name) of each branch through which somebody joined."""
    names = [(one.key, name_of(by, one.key)) for one in branches_of(found, by) if one.joined]
    return [(f"{by}:{key}", name.striptags() if isinstance(name, Markup) else name) for key, name in names]


def _circles(found: Tree) -> tuple[Circle, ...]:
    """The mail, and the first steps from it that somebody joined at."""
    steps = [one for one in found.generations if one.joined][:DRAWN]
    if not steps:
        return ()
    most = max(max(one.joined, one.visits) for one in steps)

    def radius(number: int) -> float:
        return round(max(2.5, RADIUS * sqrt(number / most)), 1) if number else 0.0

    return (
        Circle(0, found.reached, 0, RADIUS, 0.0, None),
        *(
            Circle(
                *(one.step, one.joined, one.visits, radius(one.joined), radius(one.visits)),
                one.factor.value if one.factor else None,
            )
            for one in steps
        ),
    )


def _rows(by: By, branches: Sequence[Branch]) -> tuple[Row, ...]:
    """Those through whom somebody joined, most first."""
    told = [one for one in branches if one.joined]
    rows = [
        _row(name_of(by, one.key), one.members, one.joined, key=f"{by}:{one.key}", steps=one.steps)
        for one in told[:SHOWN]
    ]
    if rest := told[SHOWN:]:
        members = rest[0].members if by is By.CHANNEL else sum(one.members for one in rest)
        farthest = max(one.steps for one in rest)
        rows.append(_row(_("All the others"), members, sum(one.joined for one in rest), steps=farthest))
    return tuple(rows)


def _step(one: Generation) -> Row:
    return _row(str(one.step), one.sharers, one.joined, one.visits, one.watches)


def _row(
    name: str | Markup,
    members: int,
    joined: int,
    visits: int | None = None,
    watches: int | None = None,
    *,
    key: str = "",
    steps: int = 0,
) -> Row:
    k = joined / members if members else None
    return Row(name, members, visits, watches, joined, k, joined_range(joined, members), key, steps)


def _channel(code: str) -> str:
    return _(CHANNELS[code]) if code in CHANNELS else code


_NAMES: Mapping[By, Callable[[str], str | Markup]] = {
    By.LANGUAGE: own_name,
    By.COUNTRY: country_name,
    By.CHANNEL: _channel,
}
