"""Two hosts on one database: one is cut off in the middle of a send, the other finishes, and nobody gets it twice."""

from __future__ import annotations

from bench.two_hosts import CONNECTIONS, Figures, two_hosts

MESSAGES = 200
AT_EASE = 30.0  # messages a second: enough are left, however late a busy machine looks at how far the hosts are


def told(figures: Figures) -> None:
    """Whatever happened to the first host, this is true at the end."""
    assert figures.wrong == []
    assert (figures.duplicates, figures.lost, figures.rejected) == (0, 0, 0)
    assert figures.accepted + figures.skipped + figures.uncertain == figures.messages
    assert figures.uncertain <= figures.doubted <= CONNECTIONS
    assert figures.sent_before < figures.messages
    assert figures.torn > 0, "the first host had batches in hand"


def test_what_one_host_had_in_hand_the_other_finishes_and_who_comes_back_sends_nothing(postgresql: str) -> None:
    """By network namespaces and a pulled cable where they may be made, else by gates that swallow all."""
    figures = two_hosts(postgresql, MESSAGES, "cut", "", 3.0, AT_EASE)
    told(figures)
    # What the first had written when the cable went may still end a batch: that one is nobody's any more.
    assert 0 < figures.taken_over <= figures.torn, "the other took them"
    assert figures.doubted > 0, "messages were on their way when it happened: this test has seen nothing"


def test_a_host_that_stands_still_longer_than_its_leases_sends_nothing_when_it_goes_on(postgresql: str) -> None:
    """SIGSTOP to all its processes; a lease of three seconds stands for the usual two minutes."""
    figures = two_hosts(postgresql, MESSAGES, "stop", "", 3.0, AT_EASE)
    told(figures)
    # When it goes on it may have had the answer to the last message of a batch.
    assert 0 < figures.taken_over <= figures.torn
