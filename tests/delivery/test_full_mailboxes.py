"""A mailbox that stays full is left in peace: after three full answers in fifteen days, with no mail taken between."""

from __future__ import annotations

import pytest

from mobilizer.audience.members import Member
from mobilizer.audience.suppressing import suppressed_among
from mobilizer.audience.suppressions import SuppressedFor
from mobilizer.blasts.blasts import Blast
from mobilizer.db import clock
from mobilizer.delivery import holds
from mobilizer.delivery.answers import settlement
from mobilizer.delivery.claims import BACKOFF_SECONDS, Settlement
from mobilizer.delivery.ledger import Delivery, DeliveryState, numbered
from mobilizer.transport.outcomes import Deferred, Stage
from tests.worlds import World

DAY = 86400.0
Answer = tuple[str, str, float]  # state, reason, how many days ago
FULL, SOFT, TAKEN = ("rejected", "full"), ("rejected", "soft"), ("accepted", "")


@pytest.mark.parametrize(
    ("code", "reply", "reason"),
    [(452, "4.2.2 over quota", "full"), (450, "4.2.0 not now", "soft"), (451, "4.7.1 too many messages", "soft")],
)
def test_who_was_put_off_for_two_days_is_refused_softly_and_a_full_mailbox_as_a_full_one(
    code: int, reply: str, reason: str
) -> None:
    given_up = settlement(1, len(BACKOFF_SECONDS), Deferred(code, reply, Stage.RCPT))
    assert (given_up.state, given_up.reason, given_up.code) == ("rejected", reason, code)
    assert settlement(1, len(BACKOFF_SECONDS) - 1, Deferred(code, reply, Stage.RCPT)).state == "pending"


@pytest.mark.parametrize(
    ("answers", "suppressed"),
    [
        ([(*FULL, 14.9), (*FULL, 7), (*FULL, 0)], True),
        ([(*FULL, 7), (*FULL, 0)], False),
        ([(*FULL, 15.1), (*FULL, 7), (*FULL, 0)], False),
        ([(*FULL, 9), (*FULL, 8), (*TAKEN, 7), (*FULL, 0)], False),
        ([(*TAKEN, 9), (*FULL, 8), (*FULL, 7), (*FULL, 0)], True),
        ([(*FULL, 9), (*SOFT, 8), (*FULL, 7), (*FULL, 0)], False),
    ],
)
def test_a_mailbox_is_suppressed_that_was_full_three_times_running(
    world: World, answers: list[Answer], suppressed: bool
) -> None:
    member = world.members[0]
    with world.installation.database.write() as session:
        first = session.get_one(Blast, world.blast_id)
        for place, (state, reason, days) in enumerate(answers):
            blast = Blast(slug=f"b{place}", appeal_id=first.appeal_id, state="sent", default_language="en", chain=[])
            session.add(blast)
            session.flush()
            session.add(
                Delivery(
                    blast_id=blast.id, member_id=member, batch_id=1, language="en", caught_by="exact",
                    state=state, reason=reason, settled_at=clock(-days * DAY),
                )
            )  # fmt: skip
            session.flush()
        last = numbered(blast.id, member)
        holds.learn(session, [Settlement(last, DeliveryState.REJECTED, "full", 552, "5.2.2 full")])
        key = session.get_one(Member, member).address_key
        assert suppressed_among(session, [key]) == ({key: SuppressedFor.SOFT_BOUNCES} if suppressed else {})
