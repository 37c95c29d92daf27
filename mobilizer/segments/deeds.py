"""Segments: rules about what a member got of us and what they did with it. What machines did counts for nobody."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, and_, exists, not_, or_, select

from mobilizer.audience.members import Member
from mobilizer.audience.preferences import uncounted
from mobilizer.blasts.blasts import Blast, Rendition
from mobilizer.delivery.ledger import Delivery, DeliveryState, numbered, of_blast
from mobilizer.engagement.events import Event, EventKind
from mobilizer.engagement.known import all_known
from mobilizer.engagement.tiers import ACTIVE_DAYS, Tier, is_of
from mobilizer.problems import N_
from mobilizer.segments.kinds import ACT, BLAST, DAYS, LANGUAGE, TIER, Act, told
from mobilizer.segments.rules import Rule, rule


def _mine(blast: int) -> tuple[ColumnElement[bool], ...]:
    """Whether a delivery is a member's in a blast. It is said of the blast too: who asks for most members reads its
    deliveries once, and not those of all blasts that ever were."""
    return Delivery.id == numbered(blast, Member.id), of_blast(blast)


@rule("in_blast")
@dataclass(frozen=True, slots=True)
class InBlast(Rule):
    """They were among the people of a blast, whatever became of their mail."""

    blast: int = told(BLAST)
    SAYS = (
        N_("Was among the people of the blast “%(blast)s”"),
        N_("Was not among the people of the blast “%(blast)s”"),
    )

    def where(self, now: datetime) -> ColumnElement[bool]:  # noqa: ARG002
        return exists().where(*_mine(self.blast)).correlate(Member)


@rule("got_blast")
@dataclass(frozen=True, slots=True)
class GotBlast(Rule):
    """Their mailbox accepted the mail of a blast."""

    blast: int = told(BLAST)
    SAYS = (N_("Got the blast “%(blast)s”"), N_("Did not get the blast “%(blast)s”"))

    def where(self, now: datetime) -> ColumnElement[bool]:  # noqa: ARG002
        return exists().where(*_mine(self.blast), Delivery.state == DeliveryState.ACCEPTED).correlate(Member)


@rule("got_in_language")
@dataclass(frozen=True, slots=True)
class GotInLanguage(Rule):
    """Their mailbox accepted the mail of a blast in one of its languages, theirs or what they fell back to."""

    blast: int = told(BLAST)
    language: str = told(LANGUAGE)
    SAYS = (
        N_("Got the blast “%(blast)s” in %(language)s"),
        N_("Did not get the blast “%(blast)s” in %(language)s"),
    )

    def where(self, now: datetime) -> ColumnElement[bool]:  # noqa: ARG002
        accepted = (Delivery.state == DeliveryState.ACCEPTED, Delivery.language == self.language)
        return exists().where(*_mine(self.blast), *accepted).correlate(Member)


@rule("got_within")
@dataclass(frozen=True, slots=True)
class GotWithin(Rule):
    """Their mailbox accepted a mail of any blast within so many days."""

    days: int = told(DAYS)
    SAYS = (N_("Got a mail at most %(days)s ago"), N_("Got no mail in this time: %(days)s"))

    def where(self, now: datetime) -> ColumnElement[bool]:
        since = now - timedelta(days=self.days)
        return (
            exists()
            .where(
                # By number, one look for each blast: of those that were over by then, nothing was accepted since.
                Delivery.id == numbered(Blast.id, Member.id),
                Blast.launched_at.is_not(None),
                or_(Blast.finished_at.is_(None), Blast.finished_at >= since),
                Delivery.state == DeliveryState.ACCEPTED,
                Delivery.settled_at >= since,
            )
            .correlate(Member)
        )


@rule("got_ever")
@dataclass(frozen=True, slots=True)
class GotEver(Rule):
    """Their mailbox accepted a mail of any blast."""

    SAYS = (N_("Has got a mail"), N_("Has never got a mail"))

    def where(self, now: datetime) -> ColumnElement[bool]:  # noqa: ARG002
        mine = Delivery.id == numbered(Blast.id, Member.id)
        return exists().where(mine, Delivery.state == DeliveryState.ACCEPTED).correlate(Member)


@rule("fallback")
@dataclass(frozen=True, slots=True)
class FallsBack(Rule):
    """Their language has no rendition in a blast: who of them gets it gets a wider form of it, or another language.

    A blast that has none at all, as it was not launched, is refused (tree.gone); until then nobody falls back in it.
    """

    blast: int = told(BLAST)
    SAYS = (
        N_("Would get “%(blast)s” in another language than their own"),
        N_("Would get “%(blast)s” in their own language"),
    )

    def where(self, now: datetime) -> ColumnElement[bool]:  # noqa: ARG002
        rendered = select(Rendition.language).where(Rendition.blast_id == self.blast)
        return and_(rendered.exists(), Member.language.not_in(rendered))


@rule("recruited_in_blast")
@dataclass(frozen=True, slots=True)
class RecruitedInBlast(Rule):
    """Someone joined through what they shared of a blast."""

    blast: int = told(BLAST)
    SAYS = (N_("Brought someone in with the blast “%(blast)s”"), N_("Brought nobody in with the blast “%(blast)s”"))

    def where(self, now: datetime) -> ColumnElement[bool]:  # noqa: ARG002
        return and_(~uncounted(Member.id), self._joined())

    def opposite(self, now: datetime) -> ColumnElement[bool]:  # noqa: ARG002
        # Whom nothing is counted for may have brought many.
        return and_(~uncounted(Member.id), not_(self._joined()))

    def _joined(self) -> ColumnElement[bool]:
        joined = (Event.via_id == Member.id, Event.kind == EventKind.JOIN, Event.machine == "")
        return exists().where(*joined, Event.blast_id == self.blast).correlate(Member)


# What is said of each tier.
OF_TIER = {
    Tier.ACTIVE: (N_("Is active"), N_("Is not active")),
    Tier.QUIET: (N_("Has gone quiet"), N_("Has not gone quiet")),
    Tier.NEW: (N_("Is new"), N_("Is not new")),
    Tier.INACTIVE: (N_("Is inactive"), N_("Is not inactive")),
}


@rule("tier")
@dataclass(frozen=True, slots=True)
class OfTier(Rule):
    """How much we hear of them."""

    tier: str = told(TIER)
    SAYS = 2 * (N_("Is active, quiet, new or inactive: %(tier)s"),)

    def sentences(self) -> tuple[str, str]:
        return OF_TIER[Tier(self.tier)]

    def where(self, now: datetime) -> ColumnElement[bool]:
        return is_of(Tier(self.tier), now)

    def opposite(self, now: datetime) -> ColumnElement[bool]:
        others = not_(self.where(now))
        return and_(others, all_known(now, ACTIVE_DAYS)) if self.tier == Tier.ACTIVE else others


# What is said of each act, in one blast, within some days, and ever; each with its opposite.
IN_BLAST = {
    Act.OPEN: (N_("Opened the blast “%(blast)s”"), N_("Did not open the blast “%(blast)s”")),
    Act.CLICK: (N_("Clicked in the blast “%(blast)s”"), N_("Did not click in the blast “%(blast)s”")),
    Act.WATCH: (N_("Watched the video of “%(blast)s”"), N_("Did not watch the video of “%(blast)s”")),
    Act.SHARE: (N_("Shared the blast “%(blast)s”"), N_("Did not share the blast “%(blast)s”")),
}  # fmt: skip
WITHIN = {
    Act.OPEN: (N_("Opened a mail at most %(days)s ago"), N_("Opened no mail in this time: %(days)s")),
    Act.CLICK: (N_("Clicked at most %(days)s ago"), N_("Did not click in this time: %(days)s")),
    Act.WATCH: (N_("Watched a video at most %(days)s ago"), N_("Watched no video in this time: %(days)s")),
    Act.SHARE: (N_("Shared at most %(days)s ago"), N_("Did not share in this time: %(days)s")),
}
EVER = {
    Act.OPEN: (N_("Has opened a mail"), N_("Has never opened a mail")),
    Act.CLICK: (N_("Has clicked"), N_("Has never clicked")),
    Act.WATCH: (N_("Has watched a video"), N_("Has never watched a video")),
    Act.SHARE: (N_("Has shared"), N_("Has never shared")),
}


def _did(act: str, *when: ColumnElement[bool]) -> ColumnElement[bool]:
    person = (Event.member_id == Member.id, Event.kind == act, Event.machine == "")
    return exists().where(*person, *when).correlate(Member)


@rule("did_in_blast")
@dataclass(frozen=True, slots=True)
class DidInBlast(Rule):
    """They did something with the mail of a blast."""

    act: str = told(ACT)
    blast: int = told(BLAST)
    SAYS = 2 * (N_("Opened, clicked, watched or shared “%(blast)s”: %(act)s"),)

    def sentences(self) -> tuple[str, str]:
        return IN_BLAST[Act(self.act)]

    def where(self, now: datetime) -> ColumnElement[bool]:  # noqa: ARG002
        return _did(self.act, Event.blast_id == self.blast)

    def opposite(self, now: datetime) -> ColumnElement[bool]:
        return and_(Member.tracking, not_(self.where(now)))  # a blast that is not counted by member is refused


@rule("did_within")
@dataclass(frozen=True, slots=True)
class DidWithin(Rule):
    """They did something within so many days."""

    act: str = told(ACT)
    days: int = told(DAYS)
    SAYS = 2 * (N_("Opened, clicked, watched or shared at most %(days)s ago: %(act)s"),)

    def sentences(self) -> tuple[str, str]:
        return WITHIN[Act(self.act)]

    def where(self, now: datetime) -> ColumnElement[bool]:
        return _did(self.act, Event.at >= now - timedelta(days=self.days))

    def opposite(self, now: datetime) -> ColumnElement[bool]:
        return and_(all_known(now, self.days), not_(self.where(now)))


@rule("did_ever")
@dataclass(frozen=True, slots=True)
class DidEver(Rule):
    """They did something at any time."""

    act: str = told(ACT)
    SAYS = 2 * (N_("Has ever opened, clicked, watched or shared: %(act)s"),)

    def sentences(self) -> tuple[str, str]:
        return EVER[Act(self.act)]

    def where(self, now: datetime) -> ColumnElement[bool]:  # noqa: ARG002
        return _did(self.act)

    def opposite(self, now: datetime) -> ColumnElement[bool]:
        return and_(all_known(now), not_(self.where(now)))
