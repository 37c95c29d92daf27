"""What a refusal means, by the words of real mail servers."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mobilizer.transport.outcomes import Deferred, Rejected, Stage, Verdict, is_about_size, verdict

HARD, SOFT, FULL, POLICY, RATE = Verdict


@pytest.mark.parametrize(
    ("code", "reply", "expected"),
    [
        (550, "5.1.1 <address>: Recipient address rejected: User unknown", HARD),
        (550, "5.1.2 Bad destination system", HARD),
        (553, "5.1.3 Bad destination mailbox address syntax", HARD),
        (550, "5.1.10 RESOLVER.ADR.RecipientNotFound; Recipient not found", HARD),
        (550, "No such user here", HARD),
        (550, "5.0.0 mailbox unknown: the account does not exist", HARD),
        (554, "delivery error: dd This user doesn't have an account here", HARD),
        (550, "Requested action not taken: mailbox unavailable", SOFT),
        (550, "5.2.1 The account that you tried to reach is disabled", SOFT),
        (550, "5.4.6 Too many hops, mail loop", SOFT),
        (554, "5.5.2 Syntax error", SOFT),
        (552, "5.2.2 Mailbox full", FULL),
        (452, "4.2.2 The recipient's mailbox is over quota", FULL),
        (552, "Requested mail action aborted: exceeded storage allocation", FULL),
        (550, "5.7.1 Message blocked by our policy", POLICY),
        (550, "5.7.26 Unauthenticated e-mail is not accepted due to the domain's DMARC policy", POLICY),
        (554, "Message refused: looks like spam", POLICY),
        (552, "5.3.4 Message size exceeds fixed limit", POLICY),
        (552, "Message size exceeds maximum", POLICY),
        (550, "5.6.0 Content rejected", POLICY),
        (553, "5.1.8 Sender domain has no record", POLICY),
        (452, "4.3.1 Insufficient system storage", RATE),
        (452, "4.5.3 Too many recipients", RATE),
        (450, "4.2.1 The user you try to contact is receiving mail at a rate that prevents more", RATE),
        (421, "4.7.28 Unusual rate of mail from your network", RATE),
        (421, "4.7.0 Try again later, closing connection", RATE),
        (421, "4.3.0 Temporary system problem", RATE),
        (421, "Too busy", RATE),
        (421, "4.4.2 Error: timeout exceeded", SOFT),
        (550, "5.7.1 Too many messages, slow down", RATE),
        (451, "Too many connections", RATE),
        (452, "Come back", RATE),
        (450, "4.2.0 Greylisted, come back in five minutes", SOFT),
        (451, "4.7.1 Greylisting in action by our policy", SOFT),
        (450, "4.1.1 User unknown", SOFT),
        (451, "No such user: lookup failed", SOFT),
        (550, "4.1.1 a status of the wrong class is not taken for a lasting one", SOFT),
        (0, "The connection was lost", SOFT),
    ],
)
def test_each_reply_has_its_meaning(code: int, reply: str, expected: Verdict) -> None:
    assert verdict(code, reply) is expected


@pytest.mark.parametrize(
    ("code", "reply", "expected"),
    [
        (552, "5.3.4 Message too big", True),
        (554, "5.2.3 Longer than the recipient may have", True),
        (552, "Message size exceeds fixed maximum", True),
        (452, "4.3.1 Insufficient system storage", False),
        (552, "5.7.1 Not from you", False),
        (550, "5.1.8 Sender domain has no record", False),
    ],
)
def test_only_what_is_about_the_size_is_the_messages_fault_at_mail(code: int, reply: str, expected: bool) -> None:
    assert is_about_size(code, reply) is expected


def test_an_unknown_address_is_believed_at_rcpt_only() -> None:
    assert Rejected(550, "5.1.1 unknown", Stage.RCPT).verdict is HARD
    assert Rejected(550, "5.1.1 unknown", Stage.DOT).verdict is SOFT


@given(st.integers(400, 499), st.text())
def test_no_temporary_reply_ever_condemns_an_address(code: int, reply: str) -> None:
    assert Deferred(code, reply, Stage.RCPT).verdict not in (HARD, POLICY)


@given(st.integers(0, 999), st.text())
def test_any_reply_at_all_gets_a_verdict(code: int, reply: str) -> None:
    assert verdict(code, reply) in Verdict
