"""Rights: the record of a member. All we know of one person, to be read by them or by another program."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from mobilizer.audience.leaving_reasons import given
from mobilizer.audience.members import Member
from mobilizer.audience.merged import Former, formers_of, who_stays
from mobilizer.audience.named_sharers import NamedSharer
from mobilizer.audience.notes import Note, notes_of
from mobilizer.audience.queries import ListStanding, MemberDetail, member_detail
from mobilizer.audience.suppressions import Suppression
from mobilizer.blasts.drawn import drawn_on
from mobilizer.db import clock
from mobilizer.engagement.history import Done, Received, done, received
from mobilizer.engagement.sharing import Brought, brought_by
from mobilizer.keys import Keyring, Purpose, Ticket

HOUR_SECONDS = 3600
LINK_HOURS = 24


@dataclass(frozen=True, slots=True)
class Record:
    """All that is kept of one member. Of others (who brought them in, whom they brought) it says numbers only."""

    member: MemberDetail
    suppressed_since: datetime | None
    mails: list[Received]
    drawn: Sequence[datetime]
    acts: list[Done]
    brought: Brought
    notes: list[Note]
    formers: list[Former]
    named: NamedSharer | None  # their consent to be seen as a sharer
    left_because: tuple[str, str] | None  # see audience.leaving_reasons

    @property
    def lists(self) -> tuple[ListStanding, ...]:
        """Each list they are or were on, with the consent they gave."""
        return self.member.lists


def record_of(session: Session, keyring: Keyring, member_id: int) -> Record | None:
    """The record of a member; None if there is none of this number."""
    detail = member_detail(session, keyring, member_id)
    if detail is None:
        return None
    key = session.get_one(Member, member_id).address_key
    suppression = session.get(Suppression, key)
    return Record(
        member=detail,
        named=session.get(NamedSharer, member_id),
        suppressed_since=suppression.created_at if suppression else None,
        mails=received(session, member_id),
        drawn=drawn_on(session, member_id),
        acts=done(session, member_id, most=None),
        brought=brought_by(session, member_id),
        notes=notes_of(session, keyring, member_id),
        formers=formers_of(session, keyring, member_id),
        left_because=given(session, keyring, member_id),
    )


def as_json(record: Record) -> str:
    """The record for another program (GDPR, article 20): UTF-8 text, the same names as in our own code."""
    member, line = record.member, record.member.line
    said: dict[str, Any] = {
        "address": line.email,
        "name": line.name,
        "language": line.language,
        "second_language": line.second_language,
        "country": line.country,
        "time_zone": member.time_zone,
        "attributes": member.attributes,
        "tags": list(member.tags.values()),
        "source": member.source,
        "since": line.created_at,
        "share_code": member.share_code,
        "named_as_a_sharer": {"wording": named.wording, "language": named.wording_language, "since": named.agreed_at}
        if (named := record.named)
        else None,
        "came_through_a_member": member.recruited_by_id is not None,
        "suppressed": {"reason": line.suppressed_for, "since": record.suppressed_since}
        if line.suppressed_for
        else None,
        "one_mail_a_month": member.monthly,
        "paused_until": member.paused_until,
        "sharing_counted": not member.uncounted,
        "opens_and_clicks_counted": member.tracking,
        "left_because": record.left_because and dict(zip(("choice", "words"), record.left_because, strict=True)),
        "lists": [_without(asdict(on), "list_id") for on in record.lists],
        "notes": [{"at": note.at, "text": note.text} for note in record.notes],
        "merged_records": [_former(former) for former in record.formers],
        "mails": [asdict(mail) for mail in record.mails],
        "drawn_by_lot": list(record.drawn),
        "acts": [asdict(act) for act in record.acts],
        "through_their_link": asdict(record.brought),
    }
    return json.dumps(said, ensure_ascii=False, indent=2, default=_spelled) + "\n"


def link_token(session: Session, keyring: Keyring, member_id: int) -> str:
    """A token that opens a member's record for a day: it goes to their own address only, never into a blast, for mails
    are passed on."""
    return keyring.token(Purpose.RECORD, Ticket(member_id, _hour(session)))


def holder(session: Session, keyring: Keyring, token: str) -> int | None:
    """The member whose record a token opens; None where it is not one of ours, or its day is over."""
    ticket = keyring.read_token(Purpose.RECORD, token)
    if ticket is None or not 0 <= _hour(session) - ticket.blast <= LINK_HOURS:
        return None
    return who_stays(session, ticket.member)


def _hour(session: Session) -> int:
    """Whole hours since 1970, by the database's clock."""
    now: datetime = session.scalars(select(clock())).one()
    return int(now.timestamp()) // HOUR_SECONDS


def _former(former: Former) -> dict[str, Any]:
    return {
        "address": former.identity.email,
        "name": former.identity.name,
        "share_code": former.share_code,
        "merged_at": former.merged_at,
        "consents": list(former.dropped),
    }


def _without(fields: dict[str, Any], name: str) -> dict[str, Any]:
    return {key: value for key, value in fields.items() if key != name}


def _spelled(value: object) -> str:
    if isinstance(value, datetime):
        return value.isoformat()
    raise TypeError(f"{type(value).__name__} has no place in a record")
