"""Web: what narrows a blast's lists, as its form holds it and as its pages say it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from sqlalchemy import select
from sqlalchemy.orm import Session
from werkzeug.datastructures import MultiDict

from mobilizer.blasts.blasts import Blast
from mobilizer.blasts.narrowing import MOST_BLASTS, MOST_DAYS, Narrowing, narrowing_of
from mobilizer.languages import measured
from mobilizer.problems import N_, Problem
from mobilizer.segments.follow_ups import FollowUp
from mobilizer.segments.segments import Segment
from mobilizer.web.asked import whole_number
from mobilizer.web.words import _, locale, number

BLASTS_OFFERED = 20
FOLLOW_UPS = {
    FollowUp.UNOPENED: N_("Follow-up: only who got “%(blast)s” and did not open it, each once"),
    FollowUp.UNSHARED: N_("Follow-up: only who watched “%(blast)s” and did not share it, each once"),
    FollowUp.SHARED: N_("Follow-up: only who shared “%(blast)s”, each once"),
}
USES = ("", "in", "out")


@dataclass(slots=True)
class NarrowingForm:
    """For each segment 'in' or 'out', whether people must be in every one, the blasts left out, the cap as typed.

    `forged`: it says what no page of ours lets anybody say. What it `follows` is no field of the page: see `following`.
    """

    uses: dict[int, str] = field(default_factory=dict)
    every: bool = False
    earlier: tuple[int, ...] = ()
    most: str = ""
    days: str = ""
    forged: bool = False
    follows: int = 0
    follow_up: str = ""

    def following(self, blast: Blast) -> None:
        """Stay the follow-up that a blast is."""
        kept = narrowing_of(blast.narrowing)
        self.follows, self.follow_up = kept.follows, kept.follow_up

    def narrowing(self) -> Narrowing:
        """What was chosen, as a blast keeps it."""
        inside = tuple(number for number, use in self.uses.items() if use == "in")
        return Narrowing(
            segments=inside,
            every=self.every and len(inside) > 1,
            without=tuple(number for number, use in self.uses.items() if use == "out"),
            earlier=self.earlier,
            most=whole_number(self.most) or 0,
            days=whole_number(self.days) or 0,
            follows=self.follows,
            follow_up=self.follow_up,
        )


def read_narrowing(posted: MultiDict[str, str]) -> NarrowingForm:
    """The form as it was posted."""
    uses, forged = read_uses(posted, "segment-")
    earlier = [whole_number(text) for text in posted.getlist("earlier")]
    most, days = (posted.get(name, "").strip() for name in ("cap_most", "cap_days"))
    known = tuple(found for found in earlier if found is not None)
    return NarrowingForm(uses, posted.get("every") == "1", known, most, days, forged or None in earlier)


def read_uses(posted: Mapping[str, str], start: str) -> tuple[dict[int, str], bool]:
    """What is chosen for each number, 'in' or 'out', by the fields whose names start so; and whether any of them says
    something else."""
    uses: dict[int, str] = {}
    forged = False
    for name, use in posted.items():
        if name.startswith(start):
            number = whole_number(name.removeprefix(start))
            forged = forged or number is None or use not in USES
            if number is not None and use in ("in", "out"):
                uses[number] = use
    return uses, forged


def filled_narrowing(blast: Blast) -> NarrowingForm:
    """The form of a blast."""
    kept = narrowing_of(blast.narrowing)
    uses = {**dict.fromkeys(kept.segments, "in"), **dict.fromkeys(kept.without, "out")}
    form = NarrowingForm(uses, kept.every, kept.earlier, str(kept.most or ""), str(kept.days or ""))
    form.following(blast)
    return form


def narrowing_problems(session: Session, form: NarrowingForm) -> list[Problem]:
    """What is wrong with the choice."""
    problems = []
    chosen = form.narrowing()
    segments, blasts = {*chosen.segments, *chosen.without}, set(chosen.earlier)
    if segments - set(session.scalars(select(Segment.id).where(Segment.id.in_(segments)))):
        message = N_("One of the segments is gone. Look at the choice again.")
        problems.append(Problem("blast.segment_gone", message, where="segments"))
    if blasts - set(session.scalars(select(Blast.id).where(Blast.id.in_(blasts)))):
        message = N_("One of the earlier blasts is gone. Look at the choice again.")
        problems.append(Problem("blast.earlier_gone", message, where="segments"))
    if form.forged:
        message = N_("Something here can't be read. Choose again what narrows it, then save.")
        problems.append(Problem("blast.forged_narrowing", message, where="segments"))
    given = bool(form.most or form.days)
    if given and not (1 <= chosen.most <= MOST_BLASTS and 1 <= chosen.days <= MOST_DAYS):
        message = N_(
            "The frequency cap needs two whole numbers, blasts from 1 to %(most)d and days from 1 to %(days)d. "
            "Leave both empty for no cap."
        )
        problems.append(Problem("blast.bad_cap", message, {"most": MOST_BLASTS, "days": MOST_DAYS}, where="cap"))
    return problems


def narrowing_choices(session: Session, form: NarrowingForm) -> dict[str, list[tuple[int, str]]]:
    """(number, name) of every segment, and of the latest launched blasts with those that are chosen already."""
    segments = session.execute(select(Segment.id, Segment.name).order_by(Segment.name, Segment.id))
    launched = select(Blast.id).where(Blast.launched_at.is_not(None)).order_by(Blast.id.desc()).limit(BLASTS_OFFERED)
    offered = {*session.scalars(launched), *form.earlier}
    return {
        "segments": [(row.id, row.name) for row in segments],
        "earlier": sorted(_slugs(session, offered).items(), reverse=True),
    }


def narrowing_lines(session: Session, blast: Blast) -> list[str]:
    """What narrows a blast, a sentence each."""
    kept = narrowing_of(blast.narrowing)
    lines = follow_up_lines(session, kept.follows, kept.follow_up)
    if kept.segments and kept.every:
        lines.append(_("Only who is in each of these segments: %(names)s", names=_named(session, kept.segments)))
    elif kept.segments:
        lines.append(
            _("Only who is in at least one of these segments: %(names)s", names=_named(session, kept.segments))
        )
    if kept.without:
        lines.append(_("Without who is in one of these segments: %(names)s", names=_named(session, kept.without)))
    if kept.earlier:
        slugs = ", ".join(_slugs(session, kept.earlier).values())
        lines.append(_("Without who was among the people of these blasts: %(names)s", names=slugs))
    if kept.most:
        days = measured(kept.days, "duration-day", locale())
        lines.append(
            _("Without who was sent this many blasts: %(most)s, within %(days)s", most=number(kept.most), days=days)
        )
    return lines


def follow_up_lines(session: Session, follows: int, kind: str) -> list[str]:
    """Whom a follow-up is for, in a sentence; nothing for what is none."""
    slugs = _slugs(session, [follows] if follows else []).values()
    return [_(FOLLOW_UPS[FollowUp(kind)], blast=slug) for slug in slugs]


def _named(session: Session, numbers: Iterable[int]) -> str:
    return ", ".join(session.scalars(select(Segment.name).where(Segment.id.in_(numbers)).order_by(Segment.name)))


def _slugs(session: Session, numbers: Iterable[int]) -> dict[int, str]:
    rows = session.execute(select(Blast.id, Blast.slug).where(Blast.id.in_(numbers)).order_by(Blast.id))
    return {row.id: row.slug for row in rows}
