"""Person or machine: each rule by itself, all of them on traces of known truth, and verdicts that can be drawn anew."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select, update

from mobilizer.bench import judging as bench
from mobilizer.cli import main
from mobilizer.delivery.ledger import Delivery
from mobilizer.engagement.events import Event
from mobilizer.engagement.hits import Hit, Parcel, record_parcels
from mobilizer.engagement.links import link_clicks
from mobilizer.engagement.machine_acts import machine_acts
from mobilizer.engagement.machines import REACH_SECONDS, Act, verdicts
from tests.worlds import World

NOW = 1_800_000_000.0


def clicks(*at: tuple[float, int]) -> list[Act]:
    return [Act("click" if link else "open", seconds, link, "") for seconds, link in at]


@pytest.mark.parametrize(
    ("acts", "accepted", "said"),
    [
        (clicks((-1, 1), (1.9, 0), (2.1, 2)), 0, ["early", "early", ""]),
        (clicks((-1, 1)), None, [""]),
        (clicks((9.5, 0), (10, 1), (10.5, 2), (11, 3), (14, 4)), 0, ["burst"] * 4 + [""]),
        (clicks((10, 1), (10.3, 2)), 0, ["burst"] * 2),
        (clicks((10, 1), (10.9, 2), (13, 3)), 0, ["", "", ""]),  # a hurried person
        (clicks((10, 1), (10.1, 1), (10.2, 1)), 0, ["", "", ""]),  # a double click
        (clicks((10, 1), (12, 2), (15, 3), (18, 4), (20, 5), (90, 2)), 0, ["sweep"] * 5 + [""]),
        ([Act("click", 40, 0, "trap"), *clicks((50, 1), (90, 2), (101, 3))], 0, ["trap", "trap", "trap", ""]),
        (clicks((10, 1), (30, 2), (50, 3), (70, 4), (90, 5)), 0, [""] * 5),  # somebody who reads
    ],
)
def test_each_rule_names_what_a_person_can_not_have_done(
    acts: list[Act], accepted: float | None, said: list[str]
) -> None:
    assert verdicts(acts, accepted) == said


@given(st.lists(st.tuples(st.floats(0, 100), st.integers(0, 6)), max_size=12).map(sorted), st.floats(-1e6, 1e6))
def test_a_verdict_depends_on_what_lies_between_acts_not_on_the_hour(acts: list[tuple[float, int]], off: float) -> None:
    whole = [(float(round(at)), link) for at, link in acts]
    moved = [(at + round(off), link) for at, link in whole]
    assert verdicts(clicks(*moved), round(off)) == verdicts(clicks(*whole), 0)


def test_the_rules_keep_their_floors_on_traces_of_known_truth() -> None:
    figures = bench.run(60)
    assert figures.precision >= 0.998
    assert figures.recall >= 0.9
    assert all(judged.precision >= 0.97 for judged in figures.rules.values())
    assert all(share <= 0.05 for share in figures.mistaken.values()), figures.mistaken
    assert {kind for kind, share in figures.found.items() if share < 0.95} == {"one by lot", "at the click"}
    assert figures.visits_precision >= 0.995
    assert figures.visits_recall >= 0.8
    assert all(share <= 0.05 for share in figures.visits_mistaken.values()), figures.visits_mistaken
    assert {kind for kind, share in figures.visits_found.items() if share < 0.95} == {"later, no page open"}


def test_what_comes_in_several_parcels_is_judged_together_and_can_be_judged_anew(world: World) -> None:
    here = world.installation
    gateway, person = world.members[:2]
    world.launch()
    with here.database.write() as session:
        session.execute(update(Delivery).values(state="accepted", settled_at=datetime.fromtimestamp(NOW, UTC)))
    swept = [Hit("click", NOW + 60 + link / 5, world.blast_id, gateway, link_n=link) for link in (1, 2, 3)]
    hits = [*swept, Hit("click", NOW + 60, world.blast_id, person, link_n=1), Hit("open", NOW, world.blast_id, person)]
    for n, hit in enumerate(hits):
        with here.database.write() as session:
            record_parcels(session, [Parcel(str(n), [hit])])
    assert verdicts_of(world) == ["burst", "burst", "burst", "", "early"]
    with here.database.read() as session:
        acts = {one.rule: (one.clicks, one.opens) for one in machine_acts(session, world.blast_id)}
    assert acts == {"burst": (3, 0), "early": (0, 1)}

    with here.database.write() as session:
        session.execute(update(Event).values(machine="a rule of yesterday"))
        session.execute(update(Delivery).values(settled_at=datetime.fromtimestamp(NOW, UTC) - timedelta(hours=1)))
    slug = world.blast().slug
    environment = {"MOBILIZER_HOME": str(here.settings.home), "DATABASE_URL": here.settings.database_url}
    said = CliRunner().invoke(main, ["blasts", "judge", slug], env=environment)
    assert (said.exit_code, said.output) == (0, "5 verdicts changed.\n")
    assert verdicts_of(world) == ["burst", "burst", "burst", "", ""]
    assert CliRunner().invoke(main, ["blasts", "judge", slug], env=environment).output == "0 verdicts changed.\n"


@given(st.lists(st.tuples(st.floats(0, 400), st.integers(0, 6)), max_size=40).map(sorted), st.integers(0, 40))
def test_what_is_further_than_the_reach_of_the_rules_has_no_part_in_a_verdict(
    acts: list[tuple[float, int]], place: int
) -> None:
    whole = clicks(*acts)
    whole = [act._replace(agent="trap" if not act.link and n % 5 == 0 else "") for n, act in enumerate(whole)]
    for n, rule in enumerate(verdicts(whole, 0)[place : place + 1], place):
        near = [act for act in whole if abs(act.at - whole[n].at) <= REACH_SECONDS]
        assert verdicts(near, 0)[near.index(whole[n])] == rule


def test_a_hundred_thousand_acts_of_one_member_are_few_rows_and_judged_beside_their_neighbours_only(
    world: World,
) -> None:
    """Were this quadratic in any part, nobody would wait for it."""
    assert set(verdicts([Act("click", n / 100, n % 9 + 1, "") for n in range(100_000)], 0)) == {"early", "burst"}
    here, member = world.installation, world.members[0]
    world.launch()
    for n in range(10):
        hits = [Hit("click", NOW + 600 * n + at / 1000, world.blast_id, member, link_n=1) for at in range(10_000)]
        with here.database.write() as session:
            assert record_parcels(session, [Parcel(str(n), hits)]) == 10_000
    with here.database.read() as session:
        rows = session.execute(select(Event.times, Event.machine)).all()
        clicked = link_clicks(session, world.blast_id)
    assert len(rows) == 200
    assert sum(row.times for row in rows) == 100_000
    assert (clicked[0].people, clicked[0].clicks) == (1, 100_000)


def verdicts_of(world: World) -> list[str]:
    with world.installation.database.read() as session:
        return list(session.scalars(select(Event.machine).order_by(Event.id)))
