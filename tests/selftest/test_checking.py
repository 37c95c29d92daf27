"""The check of the books can fail: evidence that is doctored in any way is found, and said in words."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from mobilizer.delivery.leases import WORKER_LOST
from mobilizer.selftest.books import Books, Row, Told, check
from mobilizer.selftest.evidence import Line, Notebook, What, gather, read
from mobilizer.selftest.faults import NAMED, FaultPlan

# Accepted, accepted, refused, left in time, lost answer, cut connection.
ROWS = {
    1: Row(1, "accepted", message_id="m1"),
    2: Row(2, "accepted", message_id="m2"),
    3: Row(3, "rejected", "hard", message_id="m3"),
    4: Row(4, "skipped", "unsubscribed", message_id="m4"),
    5: Row(5, "uncertain", "hung_up", message_id="m5"),
    6: Row(6, "uncertain", "worker_lost", message_id="m6"),
}
TOLD = Told(audience=set(ROWS), taken_off={4}, left={4}, torn=1, connections=1)


def taken(number: int, fault: str = "") -> Line:
    """A message that came whole and was kept."""
    return Line(What.CONTENT, 1, number, fault, f"m{number}", kept=True)


SEEN = [
    *(taken(1), Line(What.ANSWER, 1, 1)),
    *(taken(2), Line(What.ANSWER, 1, 2)),
    *(Line(What.FAULT, 1, 3, "rcpt.550"), Line(What.REFUSAL, 1, 3, "rcpt.550")),
    *(taken(5, "dot.drop"), Line(What.FAULT, 1, 5, "dot.drop")),
]


def books(rows: dict[int, Row], seen: list[Line], told: Told = TOLD, state: str = "sent") -> Books:
    return check(list(rows.values()), gather(seen), told, state, suppressed={3})


def test_books_in_order_are_found_in_order() -> None:
    found = books(ROWS, SEEN)
    assert found.wrong == []
    assert (found.messages, found.accepted, found.rejected, found.skipped, found.uncertain) == (6, 2, 1, 1, 2)
    assert (found.duplicates, found.lost, found.bound) == (0, 0, 2)


def test_a_message_that_is_taken_twice_is_a_duplicate() -> None:
    found = books(ROWS, [*SEEN, taken(2)])
    assert found.duplicates == 1
    assert found.wrong == ["members whose message was handed over more than once: 1 (2)"]


def test_a_message_that_is_sent_again_after_its_answer_was_lost_is_a_duplicate_though_the_first_was_not_kept() -> None:
    unkept = Line(What.CONTENT, 1, 5, "dot.drop_unkept", "m5")
    rest = [line for line in SEEN if line.number != 5]
    assert books(ROWS, [*rest, unkept, taken(5)]).duplicates == 1
    assert books(ROWS, [*rest, unkept, Line(What.FAULT, 1, 5, "dot.drop_unkept")]).wrong == []


def test_a_message_that_was_refused_may_be_sent_again() -> None:
    assert books(ROWS, [Line(What.CONTENT, 1, 1, "dot.450", "m1"), *SEEN]).wrong == []


def test_an_accepted_row_whose_message_never_came_is_lost() -> None:
    found = books(ROWS, [line for line in SEEN if line.number != 1])
    assert found.lost == 1
    assert "rows accepted though the relay never had the message: 1 (1)" in found.wrong


def test_a_member_without_a_row_is_lost() -> None:
    found = books({n: row for n, row in ROWS.items() if n != 4}, SEEN)
    assert found.lost == 1
    assert found.wrong == ["members of the audience without a row: 1 (4)"]


@pytest.mark.parametrize(
    ("rows", "seen", "sentence"),
    [
        (lambda r: r | {2: replace(r[2], state="rejected")}, None, "their row says otherwise: 1 (2)"),
        (lambda r: r | {5: replace(r[5], state="accepted")}, None, "though the relay never said yes: 1 (5)"),
        (lambda r: r | {4: replace(r[4], state="rejected")}, None, "rejected without the relay's no: 1 (4)"),
        (lambda r: r | {4: replace(r[4], state="pending")}, None, "rows that are still open: 1 (4)"),
        (lambda r: r | {7: Row(7, "skipped")}, None, "not of the audience: 1 (7)"),
        (lambda r: r | {8: ROWS[4]}, None, "more than one row: 1 (4)"),
        (lambda r: r | {4: replace(r[4], state="uncertain")}, None, "uncertain without a lost answer"),
        (None, lambda s: [*s, Line(What.CONTENT, 1, 4, "dot.drop", "m4")], "had left or were suppressed before: 1 (4)"),
        (None, lambda s: [*s, replace(taken(6), message_id="m1")], "another's Message-ID: 1 (6)"),
        (None, lambda s: [*s, taken(9)], "messages for nobody in the ledger: 1 (9)"),
        (None, lambda s: [line for line in s if line.what != What.REFUSAL], "though the relay knows them: 1 (3)"),
    ],
)
def test_whatever_does_not_agree_is_said_in_words(
    rows: Callable[[dict[int, Row]], dict[int, Row]] | None,
    seen: Callable[[list[Line]], list[Line]] | None,
    sentence: str,
) -> None:
    found = books(rows(ROWS) if rows else ROWS, seen(SEEN) if seen else SEEN)
    assert any(sentence in said for said in found.wrong), found.wrong


def test_a_blast_that_is_not_declared_sent_is_not_over() -> None:
    assert books(ROWS, SEEN, state="sending").wrong == ["the blast was not declared sent; it is: 1 (sending)"]


def test_a_cut_connection_explains_one_uncertain_row_and_no_more() -> None:
    assert books(ROWS, SEEN, replace_told(torn=0)).wrong
    assert not books(ROWS, SEEN, replace_told(torn=1)).wrong


def test_a_lost_answer_explains_nobody_elses_uncertainty() -> None:
    elsewhere = [line for line in SEEN if line.number != 5]
    assert any("uncertain" in said for said in books(ROWS, elsewhere).wrong)


def test_eight_times_not_now_is_a_no_but_seven_are_not() -> None:
    soft = [Line(What.REFUSAL, 1, 4, "rcpt.450")]
    rows = ROWS | {4: replace(ROWS[4], state="rejected")}
    assert books(rows, [*SEEN, *soft * 8]).wrong == []
    assert books(rows, [*SEEN, *soft * 7]).wrong != []


@pytest.mark.parametrize("reason", ["unrenderable", "unsubscribed", "suppressed"])
def test_who_is_skipped_and_never_left_is_found(reason: str) -> None:
    rows = ROWS | {1: replace(ROWS[1], state="skipped", reason=reason)}
    assert "members skipped though they never left: 1 (1)" in books(rows, SEEN[2:]).wrong
    told = replace(TOLD, left={1, 4})
    assert books(rows, SEEN[2:], told).wrong == []


def test_what_the_relay_wrote_is_read_again_but_for_a_line_that_is_not_whole(tmp_path: Path) -> None:
    notebook = Notebook(tmp_path / "relay.jsonl")
    for line in SEEN:
        notebook.write(line)
    notebook.close()
    with (tmp_path / "relay.jsonl").open("a") as file:
        file.write('{"what": "content", "conn')
    assert read(tmp_path / "relay.jsonl") == gather(SEEN)


def replace_told(torn: int) -> Told:
    return replace(TOLD, torn=torn)


def lost_with(owners: Sequence[str]) -> dict[int, Row]:
    """Rows whose worker was lost with the answer: which one, of each."""
    return {number: Row(number, "uncertain", WORKER_LOST, f"m{number}", who) for number, who in enumerate(owners, 1)}


@pytest.mark.parametrize(
    ("owners", "stood", "wrong"),
    [
        (["a", "a"], {}, False),
        (["a", "a", "b", "b"], {}, False),
        (["a", "a", "a"], {}, True),
        (["a", "a", "a"], {"a": 1}, False),
        (["a", "a", "a"], {"b": 1}, True),
    ],
)
def test_each_process_that_was_lost_leaves_no_more_in_doubt_than_its_connections(
    owners: list[str], stood: dict[str, int], wrong: bool
) -> None:
    """However many others were killed, who left less behind."""
    rows = lost_with(owners)
    told = Told(audience=set(rows), torn=100, connections=2, stood=Counter(stood))
    found = check(list(rows.values()), gather([]), told, "sent", suppressed=())
    assert found.most_at_once == max(map(owners.count, owners))
    assert bool(found.wrong) == wrong
    assert not wrong or "than their 2 connections: 1 (a)" in found.wrong[0]


@pytest.mark.parametrize("people", [300, 1000, 5000])
def test_every_fault_comes_up_in_a_short_run_though_many_are_never_met(people: int) -> None:
    """Each has its turn again as long as it has not come up: of three that are planned two are met."""
    plan = FaultPlan(seed=people, people=people)
    met = random.Random(people)  # noqa: S311
    for turns, times in ((plan.messages, people), (plan.senders, people), (plan.connections, people // 3)):
        for _ in range(times):
            fault = turns.next()
            if fault is not None and met.randrange(3):
                plan.shown[fault.name] += 1
    assert set(NAMED) <= {name for name, count in plan.shown.items() if count}


def test_for_nobody_nothing_goes_wrong() -> None:
    plan = FaultPlan(seed=1, people=0)
    assert {turns.next() for turns in (plan.messages, plan.senders, plan.connections) for _ in range(200)} == {None}
