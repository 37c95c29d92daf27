"""Whatever point a process dies at: nobody is skipped, nobody gets two, at most one a connection is in doubt."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from multiprocessing.connection import Connection
from pathlib import Path

import pytest

from mobilizer.bench import people
from mobilizer.blasts import launching
from mobilizer.blasts.blasts import Blast
from mobilizer.delivery.ledger import DeliveryState
from mobilizer.demo.box import Box
from mobilizer.failpoints import Point
from mobilizer.installation import install
from mobilizer.selftest import hands, relay
from mobilizer.selftest.books import Books, Told, check
from mobilizer.selftest.campaign import SENDING
from mobilizer.selftest.crew import CONTEXT, Mate
from mobilizer.selftest.evidence import read
from mobilizer.selftest.site import Site
from mobilizer.settings import Settings
from tests.selftest.whole import OWNER, live
from tests.stories.processes import until
from tests.worlds import World

PEOPLE, CONNECTIONS = 12, 3
# At its first pass nothing is claimed yet, or all is written down: nobody is in doubt.
SURE = {
    *(Point.FREEZE_BEFORE_COMMIT, Point.FREEZE_AFTER_COMMIT, Point.FINISH_BEFORE_COMMIT),
    *(Point.LEASE_BEFORE_COMMIT, Point.LEASE_AFTER_COMMIT),
    *(Point.ENVELOPE_WRITTEN, Point.ENVELOPE_ANSWERED, Point.CLAIM_BEFORE_COMMIT),
}
# A claim is committed whose answer is not: the message may have arrived. In the rest it is either, as other leases go.
IN_DOUBT = {
    *(Point.CLAIM_AFTER_COMMIT, Point.CONTENT_BEFORE_WRITE, Point.CONTENT_HALF_WRITTEN, Point.CONTENT_WRITTEN),
    Point.REPLY_READ,
}


@pytest.fixture
def mail(tmp_path: Path) -> Iterator[int]:
    """The port of the selftest's own relay, which keeps to the rules here."""
    hears, says = CONTEXT.Pipe(duplex=False)
    serving = Mate("relay", tmp_path / "relay.log", relay.run)
    pace = CONTEXT.Value("d", 0.0, lock=False)
    serving.start(1, 0, tmp_path / "relay.jsonl", pace, partial(Connection.send, says))
    assert hears.poll(60)
    yield hears.recv().mail
    serving.end(polite=False)


@pytest.fixture
def site(settings: Settings, tmp_path: Path, mail: int) -> Iterator[Site]:
    """A blast in launching to a dozen people, with keys of its own that its processes can read."""
    changed = {
        "smtp_port": mail,
        "smtp_connections": CONNECTIONS,
        "batch_size": 4,
        "loopback_only": True,
        "redis_url": "redis://127.0.0.1:1/0",
    }
    here = install(settings.model_copy(update=changed))
    world = World(here, list_id=people.fill(here, PEOPLE)[0])
    world.write_appeal()
    with here.database.write() as session:
        blast = session.get_one(Blast, world.blast_id)
        assert launching.launch(session, here.settings, blast, launching.seen(blast))
    box = Box(tmp_path, 0, 0, 0, "", own_queue=False)
    yield Site(box, here, world.blast_id, frozenset(range(1, PEOPLE + 1)), frozenset())
    here.database.close()


@pytest.mark.parametrize("point", list(Point))
def test_who_dies_at_a_failpoint_breaks_no_promise(site: Site, tmp_path: Path, point: Point) -> None:
    sender = Mate("sender", tmp_path / "sender.log", live)
    run(sender, site, f"{point}:1")
    assert sender.hits() == [point], (tmp_path / "sender.log").read_text()
    if point in SENDING:
        assert site.state() == "sending"
    with site.installation.database.write() as session:
        hands.end_leases(session, site.blast, OWNER)  # its time is over
    run(sender, site, "")

    books = checked(site, torn=CONNECTIONS if point in SENDING else 0)
    assert books.wrong == [], (tmp_path / "sender.log").read_text()
    assert books.accepted + books.uncertain == PEOPLE
    assert not books.uncertain or point not in SURE
    assert books.uncertain or point not in IN_DOUBT


def test_who_dies_again_and_again_breaks_no_promise(site: Site, tmp_path: Path) -> None:
    sender = Mate("sender", tmp_path / "sender.log", live)
    deaths = (Point.REPLY_READ, Point.CONTENT_WRITTEN, Point.CLAIM_BEFORE_COMMIT)
    for point in deaths:
        run(sender, site, f"{point}:2")
        with site.installation.database.write() as session:
            hands.end_leases(session, site.blast, OWNER)
    assert set(sender.hits()) >= {Point.REPLY_READ}
    run(sender, site, "")
    books = checked(site, torn=CONNECTIONS * len(deaths))
    assert books.wrong == []
    assert books.accepted + books.uncertain == PEOPLE


def run(sender: Mate, site: Site, failpoint: str) -> None:
    """One life of a sender, from its start to its end."""
    sender.start(site.settings.model_copy(update={"failpoint": failpoint}), site.blast)
    until(lambda: not sender.running)
    sender.end(polite=False)


def checked(site: Site, torn: int) -> Books:
    """The books of a blast that is over."""
    assert {row.state for row in site.rows()} <= {DeliveryState.ACCEPTED, DeliveryState.UNCERTAIN}
    return check(
        site.rows(),
        read(site.notebook),
        Told(site.audience, torn=torn, connections=torn),
        site.state(),
        site.suppressed_now(),
    )
