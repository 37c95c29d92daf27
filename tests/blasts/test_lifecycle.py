"""The table of legal moves: what can be reached, what can be taken back, and what nobody can leave."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from sqlalchemy import update
from sqlalchemy.orm import Session

from mobilizer.blasts import launching, lifecycle
from mobilizer.blasts.blasts import Blast
from mobilizer.blasts.blasts import BlastState as S
from mobilizer.blasts.lifecycle import MOVES
from tests.one_database import database_url  # noqa: F401
from tests.worlds import World

# Somebody is written down from here on, or may be.
LAUNCHED = {S.LAUNCHING, S.SENDING, S.PAUSED, S.HELD, S.SENT}


def reached(start: S) -> set[S]:
    """Where legal moves lead from a state."""
    found, look = set[S](), [start]
    while look:
        for state in MOVES[look.pop()] - found:
            found.add(state)
            look.append(state)
    return found


def test_every_state_is_reached_and_whoever_is_launched_is_never_a_draft_again() -> None:
    assert set(MOVES) == set(S)
    assert reached(S.DRAFT) == set(S)
    assert all(reached(state) <= LAUNCHED | {S.CANCELLED} for state in LAUNCHED)
    assert {state for state in S if not MOVES[state]} == {S.CANCELLED}
    assert all(S.CANCELLED in MOVES[state] for state in set(S) - {S.SENT, S.CANCELLED})


ACTS: dict[str, tuple[Callable[[Session, int], bool], set[S], S]] = {
    "undo": (launching.undo, {S.LEAVING, S.ASKED}, S.DRAFT),
    "unschedule": (launching.unschedule, {S.SCHEDULED}, S.READY),
    "launch what is due": (lifecycle.launch_due, {S.SCHEDULED, S.LEAVING}, S.LAUNCHING),
    "pause": (lifecycle.pause, {S.SENDING, S.HELD}, S.PAUSED),
    "cancel": (lifecycle.cancel, set(S) - {S.SENT, S.CANCELLED}, S.CANCELLED),
}


@pytest.mark.parametrize("act", ACTS)
def test_an_act_moves_from_its_states_alone(world: World, act: str) -> None:
    does, starts, to = ACTS[act]
    for state in S:
        with world.installation.database.write() as session:
            session.execute(update(Blast).values(state=state))
            assert does(session, world.blast_id) == (state in starts), state
        assert world.blast().state == (to if state in starts else state)
        assert not starts or to in MOVES[next(iter(starts))]
