"""The share tree where people go in circles: who bring each other, join twice, are one, are gone; and machines."""

from __future__ import annotations

import pytest
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from mobilizer.audience.members import Identity, Member
from mobilizer.audience.merged import renew_share_codes
from mobilizer.audience.sign_ups import SignUp
from mobilizer.delivery.ledger import Batch, BatchState, Delivery, DeliveryState
from mobilizer.engagement.attribution import sharer
from mobilizer.engagement.events import EventKind
from mobilizer.engagement.hits import Hit, Parcel, record_parcels
from mobilizer.engagement.recruits import Recruit
from mobilizer.engagement.tree import tree
from mobilizer.rights.erasing import erase
from mobilizer.rights.merging import merge
from mobilizer.signups import asking
from mobilizer.signups.confirming import confirm
from tests.worlds import World

NOW = 1_800_000_000.0


@pytest.fixture
def sent(world: World) -> World:
    """A blast that five members had."""
    world.launch()
    with world.installation.database.write() as session:
        session.execute(update(Delivery).values(state=DeliveryState.ACCEPTED))
        session.execute(update(Batch).values(state=BatchState.DONE))
    return world


def joins(world: World, address: str, via: int, channel: str = "copy") -> int:
    """Somebody asks by a member's link, and confirms; the number of the member that they are."""
    keyring = world.installation.keyring
    with world.installation.database.write() as session:
        blast = sharer(session, session.get_one(Member, via).share_code, world.blast().appeal_id).blast
        wish = asking.Wish(world.list_id, Identity(address, ""), "en", "Yes", "en", via, blast, channel)
        asking.ask(session, keyring, wish)
    with world.installation.database.write() as session:
        number = session.scalars(select(SignUp.id).order_by(SignUp.id.desc())).first()
        assert number is not None
        joined = confirm(session, keyring, number)
        assert joined is not None
        return joined.member


def come(world: World, name: str, *hits: Hit) -> None:
    with world.installation.database.write() as session:
        record_parcels(session, [Parcel(name, [hit._replace(blast=world.blast_id) for hit in hits])])


def steps(session: Session, world: World) -> list[tuple[int, int]]:
    """(visits, joined) of each step."""
    return [(one.visits, one.joined) for one in tree(session, world.blast_id).generations]


def address_of(world: World, member: int) -> str:
    with world.installation.database.read() as session:
        return session.get_one(Member, member).identity(world.installation.keyring).email


def test_who_brought_somebody_is_brought_by_nobody_whom_they_brought(sent: World) -> None:
    """A brings B, who brings C. A follows B's link and joins once more by it, B by C's: nobody came for a second
    time."""
    first = sent.members[0]
    second = joins(sent, "b@example.net", first)
    third = joins(sent, "c@example.net", second)
    come(sent, "1", Hit("visit", NOW, via=first, channel="copy"), Hit("visit", NOW + 60, via=second, channel="copy"))
    assert joins(sent, address_of(sent, first), second) == first
    assert joins(sent, "b@example.net", third) == second
    with sent.installation.database.read() as session:
        assert steps(session, sent) == [(1, 1), (1, 1)]
        assert session.get_one(Member, first).recruited_by_id is None
        assert session.get_one(Member, second).recruited_by_id == first


def test_records_that_turn_out_to_be_one_person_leave_no_circle(sent: World) -> None:
    """A brings B, who brings C: and C is A, under another address. What was counted stays; A stands where the mail
    is."""
    first = sent.members[0]
    second = joins(sent, "b@example.net", first)
    third = joins(sent, "c@example.net", second)
    with sent.installation.database.write() as session:
        code = session.get_one(Member, third).share_code
        assert merge(session, sent.installation.keyring, third, first) is None
    with sent.installation.database.read() as session:
        assert sharer(session, code, sent.blast().appeal_id).member == first, "their other link is theirs"
        assert session.get_one(Member, first).recruited_by_id is None
    come(sent, "1", Hit("visit", NOW, via=third, channel="copy"), Hit("visit", NOW + 60, via=first, channel="x"))
    with sent.installation.database.read() as session:
        assert steps(session, sent) == [(2, 1), (0, 1)]
    fourth = joins(sent, "d@example.net", first)
    with sent.installation.database.read() as session:
        assert steps(session, sent) == [(2, 2), (0, 1)]
        assert session.scalars(select(Recruit.generation).where(Recruit.member_id == fourth)).one() == 1


def test_who_is_erased_leaves_their_branch_standing(sent: World) -> None:
    first = sent.members[0]
    second = joins(sent, "b@example.net", first)
    third = joins(sent, "c@example.net", second)
    come(sent, "1", Hit("visit", NOW, via=second, channel="copy"), Hit("visit", NOW, via=third, channel="copy"))
    with sent.installation.database.write() as session:
        code = session.get_one(Member, second).share_code
        erase(session, second)
    with sent.installation.database.read() as session:
        assert sharer(session, code, sent.blast().appeal_id).member == 0, "their link brings nobody any more"
        assert [(one.sharers, one.joined) for one in tree(session, sent.blast_id).generations] == [
            (5, 1), (1, 1), (1, 0),
        ]  # fmt: skip
        assert session.scalars(select(Recruit.generation).where(Recruit.member_id == third)).one() == 2
    again = joins(sent, "b@example.net", first)  # who comes back after that is new
    with sent.installation.database.read() as session:
        assert again != second
        assert [one.joined for one in tree(session, sent.blast_id).generations][:2] == [2, 1]


def test_machines_along_the_chain_are_nobodys_friends(sent: World) -> None:
    """The gateway before B's mailbox follows the link in B's mail as it follows all others; messengers draw cards."""
    first = sent.members[0]
    second = joins(sent, "b@example.net", first)
    gateway = [Hit(EventKind.CLICK, NOW + 60 + n / 5, member=first, link_n=n) for n in (1, 2, 3)]
    come(sent, "1", *gateway, Hit("visit", NOW + 60.7, via=first, channel="mail"))
    come(sent, "2", Hit("visit", NOW + 99, via=second, channel="x", agent="bot", machine="bot"))
    come(sent, "3", Hit("visit", NOW + 300, via=first, channel="mail"), Hit("visit", NOW + 900, via=first, channel="x"))
    come(sent, "4", Hit("visit", NOW + 999, via=second, channel="x"))
    with sent.installation.database.read() as session:
        assert steps(session, sent) == [(1, 1), (1, 0)], (
            "of the first one's link a gateway, the owner and a friend came"
        )


def test_a_link_that_was_taken_back_brings_nobody(sent: World) -> None:
    """Who came by it before stays; who follows it now is nobody's friend, and joins by themselves."""
    first = sent.members[0]
    second = joins(sent, "b@example.net", first)
    with sent.installation.database.write() as session:
        member = session.get_one(Member, first)
        old = member.share_code
        renew_share_codes(session, member)
    with sent.installation.database.read() as session:
        appeal = sent.blast().appeal_id
        assert sharer(session, old, appeal).member == 0
        assert sharer(session, session.get_one(Member, first).share_code, appeal).member == first
        assert steps(session, sent) == [(0, 1)]
    third = joins(sent, "c@example.net", second)
    with sent.installation.database.read() as session:
        assert session.scalars(select(Recruit.generation).where(Recruit.member_id == third)).one() == 2
