"""Own visits: who follows a share link and is no friend, by what is around it; friends stay friends."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select, update

from mobilizer.delivery.ledger import Delivery
from mobilizer.engagement import own_visits
from mobilizer.engagement.events import Event
from mobilizer.engagement.hits import Hit, Parcel, record_parcels
from mobilizer.engagement.judging import judge_anew
from mobilizer.engagement.machine_acts import machine_acts
from mobilizer.engagement.own_visits import OwnAct, Visit, visit_verdicts
from mobilizer.engagement.sharing import brought_by
from mobilizer.engagement.tree import tree
from tests.worlds import World

NOW = 1_800_000_000.0


def visits(*came: tuple[float, str]) -> list[Visit]:
    return [Visit(at, channel, "") for at, channel in came]


@pytest.mark.parametrize(
    ("came", "acts", "said"),
    [
        # Copied and pasted at once, then passed on; another channel is not the one they pressed.
        (visits((12, "copy"), (14.9, "x"), (15.1, "copy")), [OwnAct("share", 10, "copy", "")], ["own", "", ""]),
        # Said when the phone had sent it: whoever sits beside them may be there at once.
        (visits((11, "native")), [OwnAct("share", 10, "native", "")], [""]),
        # Its page found theirs open beside it: the last that came before it said so.
        (visits((10, "x"), (40, "x"), (41, "sms"), (43, "x")), [OwnAct("visit", 42, "x", "")], ["", "own", "", ""]),
        (visits((10, "x")), [OwnAct("visit", 41, "x", "")], [""]),
        # Out of the mail: the first is who has it. A machine that follows links of the mail follows this one, too.
        (visits((50, "mail"), (60, "mail"), (70, "")), [], ["own", "", ""]),
        (visits((1, "mail"), (50, "mail")), [], ["early", "own"]),
        (
            visits((20, "mail"), (21, ""), (21, "x"), (50, "mail")),
            [OwnAct("click", 20.5, "", "burst")],
            ["burst", "burst", "", "own"],
        ),
        ([Visit(9, "whatsapp", "bot"), Visit(10, "copy", "page")], [], ["bot", "own"]),
    ],
)
def test_a_visit_is_not_a_friends_where_it_can_not_be(came: list[Visit], acts: list[OwnAct], said: list[str]) -> None:
    assert visit_verdicts(came, acts, 0.0) == said


def test_an_act_is_held_against_the_visits_near_it_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """A link may be followed a hundred thousand times, and anybody who has its code can say that its owner did much."""
    compared: list[OwnAct] = []
    means = own_visits._means
    monkeypatch.setattr(own_visits, "_means", lambda act, visit: compared.append(act) is None and means(act, visit))
    acts = [OwnAct(kind, 60.0 * n, "x", "") for n in range(500) for kind in ("click", "share", "visit")]
    said = visit_verdicts([Visit(20.0 * n, "x", "") for n in range(1500)], acts, None)
    assert said.count("own") == 999
    assert len(compared) < 2 * len(acts)


def test_however_visits_arrive_they_are_judged_as_if_together(world: World) -> None:
    """What says whose a visit was may come before it, after it, or much later; and all of it can be judged anew."""
    here, (owner, friend) = world.installation, world.members[:2]
    world.launch()
    with here.database.write() as session:
        session.execute(update(Delivery).values(state="accepted", settled_at=datetime.fromtimestamp(NOW, UTC)))

    def visit(after: float, channel: str, via: int = owner) -> Hit:
        return Hit("visit", NOW + after, world.blast_id, via=via, channel=channel)

    parcels = [
        [visit(61, "copy"), visit(100, "x")],
        [Hit("share", NOW + 60, world.blast_id, owner, channel="copy")],
        [Hit("visit", NOW + 101, world.blast_id, owner, channel="x")],
        [visit(200, "mail"), visit(300, "copy")],
        [visit(5000, "mail"), visit(400, "whatsapp", friend)],
        [Hit("share", NOW + 5001, world.blast_id, owner, channel="x"), visit(5002, "copy")],
    ]
    for number, hits in enumerate(parcels):
        with here.database.write() as session:
            record_parcels(session, [Parcel(str(number), hits)])
    expected = {61: "own", 100: "own", 200: "own", 300: "", 400: "", 5000: "", 5002: ""}
    assert said_of(world) == expected
    with here.database.read() as session:
        assert [(one.rule, one.visits) for one in machine_acts(session, world.blast_id)] == [("own", 3)]
        assert brought_by(session, owner).visits == 3
        assert [one.visits for one in tree(session, world.blast_id).generations] == [4]

    with here.database.write() as session:
        session.execute(update(Event).values(machine="a rule of yesterday"))
    assert sum(changed for _, changed in judge_anew(here.database, world.blast_id)) == 10
    assert said_of(world) == expected
    assert sum(changed for _, changed in judge_anew(here.database, world.blast_id)) == 0


def said_of(world: World) -> dict[int, str]:
    start = datetime.fromtimestamp(NOW, UTC)
    with world.installation.database.read() as session:
        rows = session.execute(select(Event.at, Event.machine).where(Event.via_id.is_not(None)).order_by(Event.at))
        return {int((at - start) / timedelta(seconds=1)): machine for at, machine in rows}
