"""Pace and fairness: nobody is left out because another's mailbox is slow, and what says "too fast" is heard."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st
from redis import Redis
from sqlalchemy import select

from mobilizer.db import clock
from mobilizer.delivery import hands, heartbeats, slices
from mobilizer.delivery.aside import Aside
from mobilizer.delivery.claims import Person
from mobilizer.delivery.ledger import Batch, Delivery
from mobilizer.delivery.limits import pace_of
from mobilizer.delivery.loads import Loader
from mobilizer.pace import complaints
from mobilizer.pace.store import Standing
from mobilizer.transport.relays import RELAYS_FILE, load_relays
from tests.transport.scripted_relay import Answer, ScriptedRelay
from tests.worlds import World

LONGEST_SECONDS = 8.0  # what fails ends then


@pytest.fixture(autouse=True)
def _short(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(slices, "SLICE_SECONDS", LONGEST_SECONDS)


class Paced:
    """A world whose relay and providers have limits, and a relay that counts whom it was sent mail for."""

    def __init__(self, world: World, redis_url: str, limits: str = "", rate: str = "") -> None:
        self.world, self.redis_url, self.limits = world, redis_url, limits
        self.connections = 2
        self.rate = f'rate = "{rate}"\n' if rate else ""

    def work(
        self,
        enough: Callable[[ScriptedRelay], bool] = lambda _relay: False,
        answers: Mapping[str, Answer] | None = None,
        **more: object,
    ) -> ScriptedRelay:
        """Work the blast's first batch and what else is due, until it is enough or nothing is left."""
        here = self.world.installation
        with ScriptedRelay(answers) as relay:
            (here.settings.home / RELAYS_FILE).write_text(
                f'[[relay]]\nname = "main"\nhost = "127.0.0.1"\nport = {relay.port}\ntls = "none"\n'
                f"connections = {self.connections}\n{self.rate}{self.limits}"
            )
            settings = here.settings.model_copy(update={"redis_url": self.redis_url, "loopback_only": True, **more})
            self.world.installation = dataclasses.replace(here, settings=settings)
            first = self.world.batches()[0]
            slices.send(self.world.installation, first, "test", lambda: enough(relay))
        return relay

    def standings(self) -> dict[str, Standing]:
        """How each limited or slowed name stands."""
        settings = self.world.installation.settings
        return {one.name: one for one in pace_of(settings, load_relays(settings)).state()}


def limit(provider: str, rate: str) -> str:
    return f'[[provider]]\nname = "{provider}"\nrate = "{rate}"\n'


def sent_to(relay: ScriptedRelay, domain: str) -> int:
    return sum(f"@{domain}>".encode() in message for message in relay.messages)


def others(relay: ScriptedRelay) -> int:
    return sent_to(relay, "example.org")


def small_batches(world: World, size: int) -> None:
    settings = world.installation.settings.model_copy(update={"batch_size": size})
    world.installation = dataclasses.replace(world.installation, settings=settings)


def test_nobody_waits_behind_people_whose_provider_is_slow(world: World, redis_url: str) -> None:
    world.join(["en"] * 200, domain="gmail.com")
    world.join(["en"] * 200)
    world.launch()
    relay = Paced(world, redis_url, limit("gmail", "1/m")).work(lambda relay: others(relay) == 205)
    assert others(relay) == 205
    assert sent_to(relay, "gmail.com") == 1
    assert world.states() == {"accepted": 206, "pending": 199}


def test_nobody_waits_behind_batches_whose_provider_is_slow(world: World, redis_url: str) -> None:
    """Held are a few of them; the others go back, and are looked at again when who else is in line had their turn."""
    small_batches(world, 5)
    world.join(["en"] * 60, domain="gmail.com")
    world.join(["en"] * 20)
    world.launch()
    seen: list[int] = []

    def enough(relay: ScriptedRelay) -> bool:
        with world.installation.database.read() as session:
            seen.append(len(session.scalars(select(Batch.id).where(Batch.state == "leased")).all()))
        return others(relay) == 25

    relay = Paced(world, redis_url, limit("gmail", "1/m")).work(enough)
    assert others(relay) == 25
    assert sent_to(relay, "gmail.com") == 1
    assert max(seen) <= hands.KEPT_ASIDE + hands.SIDE_BY_SIDE + 1


def rests(world: World) -> list[float]:
    """For how many seconds from now on each batch is left alone, those that are due at once left out."""
    with world.installation.database.read() as session:
        now, *_ = session.scalars(select(clock())).all()
        due = session.scalars(select(Batch.due_at).where(Batch.state == "open", Batch.due_at > now)).all()
    return sorted((moment - now).total_seconds() for moment in due)


def test_who_waits_for_a_slow_mailbox_is_looked_at_again_when_it_should_be_their_turn(
    world: World, redis_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first that go back wait as long as it takes those before them, the next ones longer; none for ever."""
    monkeypatch.setattr(hands, "KEPT_ASIDE", 1)
    small_batches(world, 5)
    world.join(["en"] * 60, domain="gmail.com")
    world.join(["en"] * 5)
    world.launch()
    paced = Paced(world, redis_url, limit("gmail", "2/s"))
    paced.work(lambda relay: others(relay) == 10 and sent_to(relay, "gmail.com") >= 6)
    found = rests(world)
    assert len(found) >= 5
    assert found[-1] > 2 * hands.LEAST_REST_SECONDS
    assert found[-1] <= hands.LONGEST_REST_SECONDS


def test_however_many_mailboxes_are_slow_few_leases_are_held(
    world: World, redis_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hands, "KEPT_IN_ALL", 3)
    small_batches(world, 2)
    world.join(["en"] * 60, domain="gmail.com")
    world.join(["en"] * 20, domain="yahoo.com")
    world.join(["en"] * 5)
    world.launch()
    seen: list[int] = []

    def enough(relay: ScriptedRelay) -> bool:
        with world.installation.database.read() as session:
            seen.append(len(session.scalars(select(Batch.id).where(Batch.state == "leased")).all()))
        return others(relay) == 10

    Paced(world, redis_url, limit("gmail", "1/m") + limit("yahoo", "1/m")).work(enough)
    assert max(seen) <= 3 + 2 + hands.SIDE_BY_SIDE + 1


def test_without_redis_a_share_is_counted_against_the_workers_that_are_alive(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The database knows of them, also where nobody has ever seen this Redis."""
    with world.installation.database.write() as session:
        for number in range(20):
            heartbeats.beat(session, f"worker-{number}", "worker")
    world.join(["en"] * 100)
    world.launch()
    monkeypatch.setattr(slices, "SLICE_SECONDS", 1.5)
    relay = Paced(world, "redis://127.0.0.1:1/0", rate="40/s").work(expected_workers=2)
    assert 1 <= len(relay.messages) < 20, "of two it would be twenty at once"


def test_a_small_urgent_blast_is_not_stuck_behind_a_provider_that_is_slow(world: World, redis_url: str) -> None:
    """Its people elsewhere go at once, and those at that provider have their turn with the large one's."""
    few = world.make_list("few")
    urgent = world.join(["en"] * 3, few) + world.join(["en"], few, domain="gmail.com")
    small_batches(world, 20)
    world.join(["en"] * 200, domain="gmail.com")
    world.launch()
    large, world.list_id = world.blast_id, few
    world.write_appeal("urgent")
    world.launch()
    small, world.blast_id = world.blast_id, large

    def of_urgent() -> dict[str, int]:
        world.blast_id = small
        states, world.blast_id = world.states(), large
        return states

    paced = Paced(world, redis_url, limit("gmail", "2/s"))
    relay = paced.work(lambda _relay: of_urgent() == {"accepted": len(urgent)})
    assert of_urgent() == {"accepted": 4}
    assert sent_to(relay, "gmail.com") < 20


def test_messages_that_must_wait_are_not_made_again_and_again(
    world: World, redis_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[Person] = []
    load = Loader.load
    monkeypatch.setattr(Loader, "load", lambda self, person: (made.append(person), load(self, person))[1])
    world.join(["en"] * 300, domain="gmail.com")
    world.launch()
    Paced(world, redis_url, limit("gmail", "1/m")).work(lambda relay: others(relay) == 5)
    assert len(made) <= 6 + 2 * hands.MADE_AT_ONCE


def test_where_the_relay_itself_is_slow_no_more_is_leased_than_can_go(world: World, redis_url: str) -> None:
    """Nobody else could go either: who is in hand waits, in order."""
    small_batches(world, 5)
    world.join(["en"] * 100)
    world.launch()
    epochs: list[int] = []

    def enough(relay: ScriptedRelay) -> bool:
        with world.installation.database.read() as session:
            epochs.append(sum(session.scalars(select(Batch.epoch))))
        return len(relay.messages) >= 6

    relay = Paced(world, redis_url, rate="2/s").work(enough)
    assert len(relay.messages) in range(6, 9)
    assert epochs[-1] <= hands.SIDE_BY_SIDE + 2


def test_where_both_are_short_of_tokens_each_has_its_turn(
    world: World, redis_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The provider has nearly as many tokens as the relay: who waits for that one leaves others their half."""
    world.join(["en"] * 100, domain="gmail.com")
    world.join(["en"] * 100)
    world.launch()
    monkeypatch.setattr(slices, "SLICE_SECONDS", 4 * LONGEST_SECONDS)
    paced = Paced(world, redis_url, limit("gmail", "18/s"), rate="20/s")
    relay = paced.work(lambda relay: others(relay) >= 25)
    assert others(relay) >= 25
    assert 5 <= sent_to(relay, "gmail.com") < 100, "neither has gone first"


def test_what_was_put_aside_goes_when_its_tokens_come(world: World, redis_url: str) -> None:
    world.join(["en"] * 20, domain="gmail.com")
    world.join(["en"] * 5, domain="yahoo.com")
    world.launch()
    relay = Paced(world, redis_url, limit("gmail", "10/s") + limit("yahoo", "5/s")).work()
    assert len(relay.messages) == 30
    assert world.states() == {"accepted": 30}


@given(st.lists(st.tuples(st.sampled_from("abc"), st.sampled_from([1, 2, 3])), max_size=40))
def test_of_those_aside_each_comes_once_and_every_lease_in_turn(put: list[tuple[str, int]]) -> None:
    aside: Aside[int] = Aside()
    for n, (mailbox, lease) in enumerate(put):
        aside.put(lease, mailbox, n)  # type: ignore[arg-type]
    assert aside.people == len(put)
    for mailbox in list(aside):
        taken: list[tuple[int, object]] = []
        leases = {lease for box, lease in put if box == mailbox}
        while mailbox in aside:
            taken.append(aside.take(mailbox))
        assert sorted(taken, key=repr) == sorted(
            ((lease, n) for n, (box, lease) in enumerate(put) if box == mailbox), key=repr
        )
        assert {lease for lease, _ in taken[: len(leases)]} == leases
    assert not aside


@pytest.mark.parametrize(
    "answers",
    [
        {"BANNER": b"421 4.7.0 too many connections\r\n"},
        {"BANNER": b"421 busy\r\n"},
        {"MAIL": b"421 4.3.2 too busy\r\n"},
        {"MAIL": b"451 4.7.1 too many messages\r\n"},
        {"RCPT": b"421 4.7.0 try again later\r\n"},
        {"DATA": b"421 4.7.28 unusual rate\r\n"},
    ],
)
def test_a_relay_that_turns_us_away_for_our_speed_is_sent_less(
    world: World, redis_url: str, answers: dict[str, Answer]
) -> None:
    world.launch()
    paced = Paced(world, redis_url, rate="100/s")
    paced.work(answers=answers)
    relay = paced.standings()["relay:main"]
    assert relay.rate < 100
    assert relay.why == b" ".join(next(iter(answers.values())).split()[: 2 if relay.why[3:] else 1]).decode()
    assert world.states() == {"pending": 5}


@pytest.mark.parametrize("answers", [{"MAIL": b"550 5.7.1 not you\r\n"}, {"RCPT": b"421 4.4.2 timed out\r\n"}])
def test_other_trouble_of_a_relay_slows_nothing(world: World, redis_url: str, answers: dict[str, Answer]) -> None:
    world.launch()
    paced = Paced(world, redis_url, rate="100/s")
    paced.work(answers=answers)
    assert paced.standings()["relay:main"].slowed_since is None


def test_a_message_that_is_too_big_at_mail_is_refused_and_the_others_go(world: World, redis_url: str) -> None:
    """The relay offers SIZE without a number (RFC 1870): only its answer to MAIL says how much is too much."""
    world.launch()
    no = [b"552 5.3.4 message too big\r\n", b"503 5.5.1 no sender\r\n", b"503 5.5.1 no sender\r\n"]
    paced = Paced(world, redis_url)
    paced.connections = 1
    answers: dict[str, Answer] = {"EHLO": b"250-scripted\r\n250-PIPELINING\r\n250 SIZE\r\n"}
    relay = paced.work(
        answers={**answers, "MAIL": at_first(no[0], b"250 ok\r\n"), "RCPT": at_first(no[1], b"250 ok\r\n"),
                 "DATA": at_first(no[2], b"354 go on\r\n")},
    )  # fmt: skip
    assert world.states() == {"accepted": 4, "rejected": 1}
    assert len(relay.messages) == 4
    with world.installation.database.read() as session:
        refused = session.scalars(select(Delivery).where(Delivery.state == "rejected")).one()
    assert (refused.reason, refused.code) == ("policy", 552)
    assert world.blast().state == "sending"


def at_first(once: bytes, then: bytes) -> Answer:
    answers = iter([once])
    return lambda _line: next(answers, then)


def busy_for(*domains: str) -> dict[str, Answer]:
    """A relay that says so to every recipient of some domains."""
    no, yes = b"451 4.7.1 too many messages\r\n", b"250 2.1.5 ok\r\n"
    return {"RCPT": lambda line: no if any(f"@{domain}>" in line for domain in domains) else yes}


def test_a_small_domain_that_is_too_busy_slows_itself_and_not_the_relay(world: World, redis_url: str) -> None:
    world.join(["en"] * 10, domain="parish.example")
    world.launch()
    paced = Paced(world, redis_url, rate="100/s")
    redis = Redis.from_url(redis_url)
    relay = paced.work(
        lambda relay: others(relay) == 5 and len(paced.standings()) > 1, answers=busy_for("parish.example")
    )
    assert others(relay) == 5
    standings = paced.standings()
    assert standings["relay:main"].slowed_since is None
    slowed = [name for name in standings if name != "relay:main"]
    assert [name.partition(":")[0] for name in slowed] == ["domain"]
    said = [name for key in redis.scan_iter() for name in (key, *(redis.hgetall(key) if b"pace:" in key else ()))]
    assert said
    assert not any(b"parish" in name for name in said)


def test_what_a_slowed_domain_accepts_is_in_the_books_under_no_provider(world: World, redis_url: str) -> None:
    world.join(["en"] * 3, domain="parish.example")
    world.launch()
    paced = Paced(world, redis_url)
    paced.work(lambda _relay: True)
    name = "domain:" + world.installation.keyring.domain_key("parish.example").hex()
    settings = world.installation.settings
    pace = pace_of(settings, load_relays(settings))
    pace.slower(name, "421")
    relay = paced.work()
    assert sent_to(relay, "parish.example") == 3
    assert {world.delivery(member).provider for member in world.members} == {""}


def test_a_relay_that_is_too_busy_for_several_small_domains_is_slowed_itself(world: World, redis_url: str) -> None:
    domains = [f"parish{n}.example" for n in range(complaints.SEVERAL)]
    for domain in domains:
        world.join(["en"], domain=domain)
    world.launch()
    paced = Paced(world, redis_url, rate="100/s")
    paced.work(answers=busy_for(*domains))
    assert list(paced.standings()) == ["relay:main"]
    assert paced.standings()["relay:main"].slowed_since is not None


def test_a_domain_is_slowed_at_its_second_word_within_a_minute() -> None:
    now = [0.0]
    told = complaints.Complaints(lambda: now[0]).told
    assert told("relay", "a") == []
    now[0] += complaints.AGAIN_SECONDS + 1
    assert told("relay", "a") == []
    assert told("other", "a") == []
    assert told("relay", "a") == ["a"]
    now[0] += complaints.AT_ONCE_SECONDS
    assert [told("relay", str(n)) for n in range(complaints.SEVERAL)] == [[], [], [], [], ["relay"]]
