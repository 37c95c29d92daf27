"""The pace: never faster than configured, whoever asks and however; slower when told so; safe without Redis."""

from __future__ import annotations

import itertools
import socket
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from redis import Redis

from mobilizer.pace.pace import AWAY_SECONDS, Pace
from mobilizer.pace.scripts import FORGOTTEN_SECONDS, RECOVERED_SECONDS
from mobilizer.pace.store import Away, Store

RELAY, GMAIL = "relay:main", "provider:gmail"
START = 1_800_000_000


class Clock:
    """A time that only tests move, for hosts and Redis alike."""

    def __init__(self) -> None:
        self.passed = 0.0

    def __call__(self) -> float:
        return self.passed

    def micros(self) -> int:
        return round((START + self.passed) * 1_000_000)


class Hosts:
    """Processes on one real Redis and one clock."""

    def __init__(self, url: str) -> None:
        self.url, self.clock = url, Clock()

    def store(self) -> Store:
        return Store.at(self.url, self.clock.micros)

    def pace(self, limits: dict[str, float], workers: int = 1) -> Pace:
        return Pace(self.store(), limits, workers, self.clock)

    def sends(self, pace: Pace, seconds: float, *names: str, well: bool = True) -> list[float]:
        """When a process that has always something to send takes its tokens."""
        until, at = self.clock.passed + seconds, []
        while self.clock.passed < until:
            wait = pace.take(*names)
            if wait:
                self.clock.passed = min(until, self.clock.passed + wait)
                continue
            at.append(self.clock.passed)
            if well:
                for name in names:
                    pace.well(name)
            self.clock.passed += 0.001  # what a message takes on the wire
        return at

    def cut_off(self) -> Callable[[], None]:
        """Redis goes away; what is returned brings it back."""
        here, self.url = self.url, "redis://127.0.0.1:1/0"
        return lambda: setattr(self, "url", here)


@pytest.fixture
def hosts(redis_url: str) -> Hosts:
    return Hosts(redis_url)


def most_in(times: list[float], seconds: float) -> int:
    """The most in any window of so many seconds."""
    times = sorted(times)
    return max((sum(1 for t in times[i:] if t <= start + seconds) for i, start in enumerate(times)), default=0)


def test_a_name_without_a_limit_is_never_waited_for(hosts: Hosts) -> None:
    pace = hosts.pace({})
    assert all(pace.take(RELAY, GMAIL) == 0.0 for _ in range(10_000))
    assert Redis.from_url(hosts.url).keys("mobilizer:pace:*") == []


@pytest.mark.parametrize(("rate", "seconds"), [(200.0, 10), (10.0, 20), (2.5, 40), (1 / 6, 120), (1 / 3600, 7300)])
def test_a_limit_is_kept_and_used_up(hosts: Hosts, rate: float, seconds: float) -> None:
    at = hosts.sends(hosts.pace({RELAY: rate}), seconds, RELAY)
    assert len(at) <= rate * seconds + max(1.0, rate)
    assert len(at) >= int(0.97 * rate * seconds)


def test_processes_share_one_limit_and_none_starves(hosts: Hosts) -> None:
    paces = [hosts.pace({RELAY: 100.0}) for _ in range(4)]
    taken = [0] * 4
    for _ in range(10_000):
        hosts.clock.passed += 0.001
        for i, pace in enumerate(paces):
            taken[i] += pace.take(RELAY) == 0.0
    assert 980 <= sum(taken) <= 1100
    assert min(taken) >= 100


def test_many_slow_processes_use_up_what_they_take_of_a_fast_limit(hosts: Hosts) -> None:
    """None leases for a second what it sends in ten: the others would wait for nothing."""
    paces = [hosts.pace({RELAY: 400.0}) for _ in range(20)]
    taken = 0
    for tick in range(2000):
        hosts.clock.passed += 0.01
        for pace in paces[tick % 5 :: 5]:  # each could send 20 a second
            taken += pace.take(RELAY) == 0.0
    assert taken >= 0.9 * 400 * 20


def test_a_fast_process_leases_fifty_to_a_hundred_at_a_time_and_of_a_slow_limit_fewer(hosts: Hosts) -> None:
    leased: dict[float, list[int]] = {}
    for rate in (1000.0, 200.0, 100.0, 20.0, 1.0):
        pace, name = hosts.pace({f"relay:{rate}": rate}), f"relay:{rate}"
        hosts.sends(pace, 20, name)
        sizes = leased[rate] = []
        lease = pace._store.lease

        def noted(wanted: object, count: int, lease: Any = lease, sizes: list[int] = sizes) -> Any:
            sizes.append(count)
            return lease(wanted, count)

        pace._store.lease = noted  # type: ignore[method-assign]
        hosts.sends(pace, 10, name)
    assert {rate: max(sizes) for rate, sizes in leased.items()} == {1000: 100, 200: 100, 100: 50, 20: 10, 1: 1}
    assert min(leased[1000.0]) >= 50


# A step: who acts (everyone, or half of them), what each of them does, and what time passes after it.
WHO = {"all": slice(None), "these": slice(0, 6), "those": slice(6, 12)}
NAMES = {"both": (RELAY, GMAIL), "relay": (RELAY,), "gmail": (GMAIL,)}
STEPS = st.lists(
    st.tuples(
        st.sampled_from(list(WHO)),
        st.sampled_from(["take 1 both", "take 1 relay", "take 1 gmail", "take 30 both", "renew", "flush"]),
        st.sampled_from([0.0, 0.0, 0.01, 0.2, 0.5, 0.999, 1.0, 3.0]),
    ),
    max_size=30,
)
HOARD = [("all", "take 1 relay", 0.9)] * 8


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=STEPS, relay=st.sampled_from([0.3, 1.0, 7.5, 40.0]), gmail=st.sampled_from([0.5, 4.0, 25.0]))
@example(steps=[*HOARD, ("all", "take 30 relay", 0.0)], relay=40.0, gmail=4.0)
@example(steps=[*[("all", "renew", 0.9)] * 8, ("all", "take 30 relay", 0.0)], relay=40.0, gmail=4.0)
@example(steps=[("all", "flush", 0.0), ("all", "take 30 relay", 0.0)] * 5, relay=40.0, gmail=4.0)
def test_over_any_time_no_more_is_taken_than_promised(
    redis_url: str, steps: list[tuple[str, str, float]], relay: float, gmail: float
) -> None:
    redis = Redis.from_url(redis_url)
    redis.flushall()
    hosts, flushed, limits = Hosts(redis_url), 0, {RELAY: relay, GMAIL: gmail}
    paces = [hosts.pace(limits) for _ in range(12)]
    at: dict[str, Counter[float]] = {RELAY: Counter(), GMAIL: Counter()}
    for who, deed, passes in steps:
        if deed == "flush":
            flushed += bool(redis.flushall())
        for pace in paces[WHO[who]]:
            if deed == "renew":
                pace.close()
            if deed != "flush":
                _, times, what = deed.replace("renew", "take 1 relay").split()
                taken = sum(pace.take(*NAMES[what]) == 0.0 for _ in range(int(times)))
                for name in NAMES[what]:
                    at[name][hosts.clock.passed] += taken
        hosts.clock.passed += passes
    for name, rate in limits.items():
        for start, end in itertools.combinations_with_replacement(sorted(at[name]), 2):
            taken = sum(count for t, count in at[name].items() if start <= t <= end)
            # A bucket that was lost begins with one token.
            assert taken <= rate * (end - start + 1) + max(1, rate) + flushed + 1e-6


def test_of_several_names_all_are_taken_or_none(hosts: Hosts) -> None:
    pace, other = hosts.pace({RELAY: 100.0, GMAIL: 1.0}), hosts.pace({RELAY: 100.0})
    assert pace.take(RELAY, GMAIL) == 0.0
    assert pace.take(RELAY, GMAIL) > 0.5
    # Waiting for Gmail has not cost the relay's tokens: they are there for others, all but the one used.
    hosts.clock.passed += 0.5
    pace.take(RELAY, GMAIL)
    assert sum(other.take(RELAY) == 0.0 for _ in range(100)) in range(25, 51)


def test_what_was_not_used_comes_back_when_a_process_ends(hosts: Hosts) -> None:
    first = hosts.pace({RELAY: 40.0})
    hosts.clock.passed += 1
    assert first.take(RELAY) == 0.0
    hosts.clock.passed += 1
    assert first.take(RELAY) == 0.0  # several are leased, one is used
    first.close()
    second = hosts.pace({RELAY: 40.0})
    assert sum(second.take(RELAY) == 0.0 for _ in range(60)) == 39


def test_a_lease_that_was_not_used_in_time_is_worth_nothing(hosts: Hosts) -> None:
    pace = hosts.pace({RELAY: 40.0})
    hosts.clock.passed += 2
    assert pace.take(RELAY) == 0.0
    hosts.clock.passed += 2
    assert pace.take(RELAY) == 0.0  # several were leased, one is taken
    assert pace._buckets[RELAY].tokens > 0
    Redis.from_url(hosts.url).hset(f"mobilizer:pace:{RELAY}", "level", "-1000")
    hosts.clock.passed += 1.0
    assert pace.take(RELAY) > 0


def test_a_rate_is_halved_for_all_once_a_second_and_grows_back_while_it_goes_well(hosts: Hosts) -> None:
    first, second = hosts.pace({RELAY: 100.0}), hosts.pace({RELAY: 100.0})
    hosts.sends(first, 3, RELAY)
    first.slower(RELAY, "421 4.7.28 Our system has detected an unusual rate of mail from ada@example.org")
    second.slower(RELAY, "421 4.7.28 again")
    [state] = second.state()
    assert state.rate == pytest.approx(50, rel=0.1)
    assert (state.why, state.times, state.limit) == ("421 4.7.28", 1, 100.0)
    assert state.slowed_since is not None
    assert state.slowed_since.timestamp() == pytest.approx(START + 3, abs=0.1)
    hosts.clock.passed += 1.1
    second.slower(RELAY, "421")
    assert second.state()[0].rate == pytest.approx(25, rel=0.1)
    slow = hosts.sends(first, 3, RELAY, well=False)
    assert len(slow) <= 25 * 1.1 * 4 + 1
    hosts.sends(first, 100, RELAY)
    [state] = first.state()
    assert (state.rate, state.slowed_since) == (100.0, None)
    assert state.why == "421"  # the last trouble stays to be seen
    assert len(hosts.sends(first, 5, RELAY)) >= 480


def test_after_many_troubles_it_is_as_fast_as_before_in_minutes(hosts: Hosts) -> None:
    """Once a hundredth of the rate is left no more is taken away, and it grows by the time, not by the message."""
    pace = hosts.pace({RELAY: 100.0})
    hosts.sends(pace, 12, RELAY)
    for _ in range(14):
        hosts.clock.passed += 1.1
        pace.slower(RELAY, "421")
    assert pace.state()[0].rate == pytest.approx(1, rel=0.1)
    hosts.sends(pace, 260, RELAY)
    assert pace.state()[0].slowed_since is None
    assert len(hosts.sends(pace, 5, RELAY)) >= 480


def test_a_halving_is_made_up_for_in_the_same_time_at_any_rate(hosts: Hosts) -> None:
    for name, rate in (("relay:a", 100.0), ("relay:b", 1.0), ("relay:c", 0.2)):
        pace = hosts.pace({name: rate})
        hosts.sends(pace, 30, name)
        pace.slower(name, "421")
        hosts.sends(pace, 20, name)
        assert pace.state()[0].slowed_since is not None
        hosts.sends(pace, 40, name)
        assert pace.state()[0].slowed_since is None, name


def test_what_was_idle_for_long_is_not_as_fast_as_before_at_once(hosts: Hosts) -> None:
    pace = hosts.pace({RELAY: 100.0})
    hosts.sends(pace, 12, RELAY)
    for _ in range(10):
        hosts.clock.passed += 1.1
        pace.slower(RELAY, "421")
    hosts.clock.passed += 1200
    pace.well(RELAY)
    hosts.sends(pace, 2, RELAY, well=False)
    assert pace.state()[0].rate < 5


def test_without_redis_too_a_tenfold_slowing_is_made_up_for_in_minutes(hosts: Hosts) -> None:
    hosts.cut_off()
    pace = hosts.pace({RELAY: 100.0})
    hosts.sends(pace, 3, RELAY)
    for _ in range(14):
        hosts.clock.passed += 1.1
        pace.slower(RELAY, "421")
    hosts.sends(pace, 260, RELAY)
    assert len(hosts.sends(pace, 5, RELAY)) >= 450


def test_nothing_is_slowed_below_one_a_minute(hosts: Hosts) -> None:
    pace = hosts.pace({RELAY: 100.0, GMAIL: 1 / 3600})
    for _ in range(40):
        hosts.clock.passed += 1.1
        pace.slower(RELAY)
        pace.slower(GMAIL)
    assert [state.rate for state in pace.state()] == pytest.approx([1 / 60, 1 / 3600])
    assert len(hosts.sends(pace, 600, RELAY, well=False)) in range(9, 13)


def test_a_name_without_a_limit_gets_one_from_what_was_measured_and_loses_it_again(hosts: Hosts) -> None:
    pace, other = hosts.pace({}), hosts.pace({})
    for _ in range(3000):  # 100 a second of two processes each
        hosts.clock.passed += 0.01
        pace.take(GMAIL)
        other.take(GMAIL)
    pace.slower(GMAIL, "450 4.2.1 too fast")
    [state] = pace.state()
    assert state.rate == pytest.approx(100, rel=0.1)
    hosts.clock.passed += 2  # the other hears of it at its next look
    assert len(hosts.sends(other, 2, GMAIL, well=False)) <= 100 * 1.1 * 3
    hosts.sends(pace, 120, GMAIL)
    assert pace.state()[0].slowed_since is not None
    hosts.clock.passed += RECOVERED_SECONDS
    pace.take(GMAIL)
    pace.well(GMAIL)
    hosts.clock.passed += 1
    hosts.sends(pace, 3, GMAIL)
    assert pace.state()[0].rate == 0
    assert all(pace.take(GMAIL) == 0.0 for _ in range(1000))


def test_one_that_has_just_come_slows_all_from_what_all_have_sent(hosts: Hosts) -> None:
    old = hosts.pace({RELAY: 1000.0})
    hosts.sends(old, 25, RELAY)
    new = hosts.pace({RELAY: 1000.0})
    new.take(RELAY)
    new.slower(RELAY, "421")
    assert new.state()[0].rate == pytest.approx(400, rel=0.25)


def test_what_was_slowed_long_ago_is_forgotten(hosts: Hosts) -> None:
    pace = hosts.pace({RELAY: 100.0})
    for _ in range(30):
        hosts.clock.passed += 1.1
        pace.slower(RELAY)
    hosts.clock.passed += FORGOTTEN_SECONDS + 1
    assert len(hosts.sends(hosts.pace({RELAY: 100.0}), 10, RELAY, well=False)) >= 970


def test_without_redis_each_process_keeps_to_its_share(hosts: Hosts) -> None:
    hosts.cut_off()
    paces = [hosts.pace({RELAY: 40.0}, workers=4) for _ in range(4)]
    total = sum(len(hosts.sends(pace, 10, RELAY)) for pace in paces)  # one after another: no one helps another
    assert 4 * 90 <= total <= 4 * 10 * (10 + 1)


def test_when_redis_goes_the_share_is_that_of_the_processes_last_seen(hosts: Hosts) -> None:
    paces = [hosts.pace({RELAY: 40.0}, workers=2) for _ in range(5)]
    for _ in range(2):
        for pace in paces:
            pace.take(RELAY)
        hosts.clock.passed += 2.5
    back = hosts.cut_off()
    for pace in paces:
        pace._store = hosts.store()
    times = hosts.sends(paces[0], 20, RELAY)
    assert len(times) <= 40 / 5 * 21 + 1
    assert most_in(times, 5.0) <= 40 / 5 * 6 + 1
    back()
    paces[0]._store = hosts.store()
    hosts.clock.passed += AWAY_SECONDS
    assert len(hosts.sends(paces[0], 10, RELAY)) >= 350


def test_what_is_slowed_without_redis_stays_slow_when_it_is_back(hosts: Hosts) -> None:
    back = hosts.cut_off()
    pace = hosts.pace({}, workers=1)
    hosts.sends(pace, 3, GMAIL)
    pace.slower(GMAIL, "421")
    alone = hosts.sends(pace, 4, GMAIL, well=False)
    assert 0 < len(alone) <= 500 * 5 + 1
    back()
    pace._store = hosts.store()
    hosts.clock.passed += AWAY_SECONDS
    pace.take(GMAIL)
    assert hosts.pace({}).state()[0].rate == pytest.approx(500, rel=0.15)


def test_the_state_says_so_when_redis_is_away(hosts: Hosts) -> None:
    hosts.cut_off()
    with pytest.raises(Away):
        hosts.pace({RELAY: 1.0}).state()


@pytest.fixture
def hanging() -> Iterator[str]:
    """The address of a server that takes calls and never says a word."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield f"redis://127.0.0.1:{server.getsockname()[1]}/0"


def test_a_redis_that_hangs_is_asked_once_in_a_while_only(hanging: str) -> None:
    clock, asked = Clock(), []
    store = Store.at(hanging)
    ask = store._asked
    store._asked = lambda question: (asked.append(clock.passed), ask(question))[1]  # type: ignore[method-assign]
    pace = Pace(store, {RELAY: 1000.0}, 1, clock)
    for _ in range(1200):
        clock.passed += 0.01
        pace.take(RELAY)
    assert len(asked) == 3
    assert asked[2] - asked[1] >= AWAY_SECONDS
