"""Delivery: answers. A pure table from what the relay said to what is written in the ledger."""

from __future__ import annotations

from mobilizer.delivery.claims import BACKOFF_SECONDS, Settlement
from mobilizer.delivery.ledger import DeliveryState
from mobilizer.transport.outcomes import Deferred, Rejected, Stage, Uncertain, Unsupported, Verdict


def settlement(
    delivery: int,
    tries: int,
    answer: Deferred | Rejected | Uncertain | Unsupported,
    relay: str | None = None,
    provider: str | None = None,
) -> Settlement:
    """What to write for any answer but Accepted. `tries` counts the definite "not now" answers before this one."""
    return _setback(delivery, tries, answer)._replace(relay=relay, provider=provider)


def put_off(delivery: int, tries: int, code: int, reply: str) -> Settlement:
    """What to write where a definite "not now" ends the connection too."""
    return _setback(delivery, tries, Deferred(code, reply, Stage.RCPT))


def _setback(delivery: int, tries: int, answer: Deferred | Rejected | Uncertain | Unsupported) -> Settlement:
    match answer:
        case Uncertain(loss, detail):
            return Settlement(delivery, DeliveryState.UNCERTAIN, reason=loss, reply=detail)
        case Unsupported(reason):
            return Settlement(delivery, DeliveryState.SKIPPED, reason="unsupported", reply=reason)
        case Deferred(unsaid=True):
            return Settlement(delivery, DeliveryState.PENDING)  # no word about the member: at once
        case Deferred() | Rejected() if _may_pass(answer) and tries < len(BACKOFF_SECONDS):
            return Settlement(
                delivery,
                DeliveryState.PENDING,
                answer.verdict,
                answer.code,
                answer.reply,
                wait_seconds=BACKOFF_SECONDS[tries],
            )
        case Deferred():
            # Given up. A mailbox that was full all the time counts like one that says so for good (5.2.2).
            verdict = Verdict.FULL if answer.verdict == Verdict.FULL else Verdict.SOFT
            return Settlement(delivery, DeliveryState.REJECTED, verdict, answer.code, answer.reply)
        case Rejected():
            return Settlement(delivery, DeliveryState.REJECTED, answer.verdict, answer.code, answer.reply)


def _may_pass(answer: Deferred | Rejected) -> bool:
    """Whether trying later can help: a 4xx, or any answer that says we are too fast or the relay has no room."""
    return isinstance(answer, Deferred) or answer.verdict == Verdict.RATE
