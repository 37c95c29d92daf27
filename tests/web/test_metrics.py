"""What Prometheus is told: who may ask, that the numbers are the ledger's, that no row of the many is touched."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from flask.testing import FlaskClient
from prometheus_client.parser import text_string_to_metric_families
from sqlalchemy import event, text, update

from mobilizer import jobs
from mobilizer.blasts.blasts import Blast
from mobilizer.db import clock
from mobilizer.delivery import heartbeats
from mobilizer.delivery.ledger import Batch, Delivery
from mobilizer.installation import Installation
from mobilizer.settings import Settings
from mobilizer.web import metrics
from tests.one_app import app_of
from tests.worlds import World

TOKEN = "a-token-of-some-length"
Asked = dict[tuple[str, str], float]


@pytest.fixture
def here(installation: Installation, redis_url: str) -> Installation:
    settings = installation.settings.model_copy(update={"metrics_token": TOKEN, "redis_url": redis_url})
    return Installation(settings, installation.database, installation.keyring)


@pytest.fixture
def client(here: Installation) -> FlaskClient:
    return app_of(here).test_client()


@pytest.fixture
def ask(client: FlaskClient, monkeypatch: pytest.MonkeyPatch) -> Callable[[], Asked]:
    """Ask anew: (name, label values) -> number."""
    monkeypatch.setattr(metrics, "KEPT_SECONDS", -1)

    def asked() -> Asked:
        answer = client.get("/metrics", headers={"Authorization": f"Bearer {TOKEN}"})
        assert answer.status_code == 200
        samples = [s for family in text_string_to_metric_families(answer.text) for s in family.samples]
        return {(s.name.removeprefix("mobilizer_"), " ".join(s.labels.values())): s.value for s in samples}

    return asked


def settle(world: World, place: int, state: str, **values: object) -> None:
    with world.installation.database.write() as session:
        member = world.members[place]
        session.execute(update(Delivery).where(Delivery.member_id == member).values(state=state, **values))


@pytest.mark.parametrize("said", ["", "Bearer", "Bearer wrong", f"Basic {TOKEN}", TOKEN, f"Bearer {TOKEN}x"])
def test_who_does_not_know_the_token_is_told_nothing(client: FlaskClient, said: str) -> None:
    answer = client.get("/metrics", headers={"Authorization": said})
    assert answer.status_code == 401
    assert b"mobilizer" not in answer.data


def test_without_a_token_in_the_settings_it_is_not_there(installation: Installation) -> None:
    client = app_of(installation).test_client()
    for said in ("", "Bearer ", "Bearer"):
        assert client.get("/metrics", headers={"Authorization": said}).status_code == 404


@pytest.mark.parametrize("token", ["short", "with a blank in the middle", "\n" * 20])
def test_a_token_that_can_be_guessed_or_said_wrongly_is_refused(token: str) -> None:
    with pytest.raises(ValueError):
        Settings(metrics_token=token)


def test_the_numbers_are_the_ledgers(ask: Callable[[], Asked], world: World, here: Installation) -> None:
    assert ask()["blasts", "draft"] == 1
    world.launch()
    settle(world, 0, "accepted", settled_at=clock())
    settle(world, 1, "uncertain", settled_at=clock())
    settle(world, 2, "rejected", settled_at=clock())
    with here.database.write() as session:
        heartbeats.beat(session, "a", "worker")
        heartbeats.beat(session, "b", "reconciler")
        first = world.batches()[0]
        session.execute(update(Batch).where(Batch.id == first).values(state="leased", lease_until=clock(-1)))
        session.execute(update(Blast).values(troubles=3))
    now = ask()
    slug = "love-always-wins"
    assert {outcome: now["deliveries", f"{slug} {outcome}"] for outcome in ("accepted", "rejected", "skipped")} == {
        "accepted": 1, "rejected": 1, "skipped": 0
    }  # fmt: skip
    assert (now["deliveries", f"{slug} waiting"], now["deliveries", f"{slug} uncertain"]) == (2, 1)
    assert (now["blasts", "sending"], now["blasts", "draft"], now["blasts", "held"]) == (1, 0, 0)
    assert (now["batches", "open"], now["batches", "leased"], now["batches", "overdue"]) == (1, 0, 1)
    assert (now["processes", "worker"], now["processes", "reconciler"]) == (1, 1)
    assert 0 <= now["reconciled_seconds_ago", ""] < 60
    assert (now["uncertain_undecided", ""], now["relay_troubles", slug]) == (1, 3)
    settle(world, 1, "uncertain", decided_at=clock())
    assert ask()["uncertain_undecided", ""] == 0


def test_a_blast_that_is_over_is_no_label_any_more(ask: Callable[[], Asked], world: World, here: Installation) -> None:
    world.launch()
    with here.database.write() as session:
        session.execute(update(Blast).values(state="sent", finished_at=clock()))
    now = ask()
    assert now["blasts", "sent"] == 1
    assert not any("love-always-wins" in labels for _, labels in now)


def test_the_queue_and_what_workers_counted_are_told(ask: Callable[[], Asked], here: Installation) -> None:
    now = ask()
    assert (now["queue_up", ""], now["queue_jobs", ""], now["messages_total", "accepted"]) == (1, 0, 0)
    jobs.enqueue(here, jobs.Work.IMPORT, 7)
    jobs.count(here.settings, {"accepted": 3, "uncertain": 1, "commits": 2, "slice_seconds": 1.5})
    jobs.count(here.settings, {"accepted": 4})
    now = ask()
    assert (now["queue_jobs", ""], now["messages_total", "accepted"], now["messages_total", "uncertain"]) == (1, 7, 1)
    assert (now["commits_total", ""], now["slice_seconds_total", ""]) == (2, 1.5)


def test_without_redis_the_ledger_is_told_all_the_same(
    ask: Callable[[], Asked], here: Installation, free_port: int
) -> None:
    lost = here.settings.model_copy(update={"redis_url": f"redis://127.0.0.1:{free_port}/0"})
    jobs.count(lost, {"accepted": 1})  # nothing is raised
    client = app_of(Installation(lost, here.database, here.keyring)).test_client()
    answer = client.get("/metrics", headers={"Authorization": f"Bearer {TOKEN}"})
    assert answer.status_code == 200
    assert "mobilizer_queue_up 0.0" in answer.text
    assert "mobilizer_reconciled_seconds_ago +Inf" in answer.text


def test_it_is_counted_once_however_often_it_is_asked(client: FlaskClient, here: Installation) -> None:
    asked: list[str] = []
    event.listen(here.database.engine, "before_cursor_execute", lambda *args: asked.append(args[2]))
    for _ in range(5):
        client.get("/metrics", headers={"Authorization": f"Bearer {TOKEN}"})
    assert len([statement for statement in asked if "max(heartbeats" in statement]) == 1


def test_no_count_reads_the_table_of_deliveries_itself(client: FlaskClient, world: World, here: Installation) -> None:
    """A blast of a million must cost what its open and its unsent rows cost: the partial indexes, nothing more."""
    world.launch()
    asked: list[tuple[str, object]] = []
    event.listen(here.database.engine, "before_cursor_execute", lambda *args: asked.append((args[2], args[3])))
    client.get("/metrics", headers={"Authorization": f"Bearer {TOKEN}"})
    counts = [(statement, values) for statement, values in asked if "FROM deliveries" in statement]
    assert len(counts) == 3
    sqlite = here.database.engine.dialect.name == "sqlite"
    with here.database.engine.connect() as connection:
        if not sqlite:
            connection.execute(text("SET enable_seqscan = off"))  # of five rows it would rather read all
        for statement, values in counts:
            explain = "EXPLAIN QUERY PLAN " if sqlite else "EXPLAIN "
            plan = "\n".join(str(row) for row in connection.exec_driver_sql(explain + statement, values))
            assert "ix_deliveries_open" in plan or "ix_deliveries_not_sent" in plan, plan
            assert "SCAN deliveries" not in plan, plan
            assert "Seq Scan on deliveries" not in plan, plan
