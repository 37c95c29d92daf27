"""Delivery: the slice. What one job does for about a minute: lease batches, send them over many lanes at once.

Each lane carries one message after another, and where the relay pipelines, a message takes one round trip: its content
goes out together with the envelope of the next. What has come to 354 on any lane is claimed in one commit, together
with the settling of every reply that has come in; only then do the contents go. A crash leaves at most one message a
lane without its answer.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from functools import partial

import structlog
from sqlalchemy import Connection, select
from sqlalchemy.orm import Session

from mobilizer.db import disk_is_full
from mobilizer.delivery import holds
from mobilizer.delivery.carriers import Carrier, Message, Post
from mobilizer.delivery.hands import Hands
from mobilizer.delivery.lanes import Lanes
from mobilizer.delivery.ledger import Batch
from mobilizer.delivery.limits import pace_beside_others, providers_of
from mobilizer.delivery.loads import Thanks, unthanked
from mobilizer.delivery.mailboxes import Mailboxes
from mobilizer.delivery.pacing import Pacing
from mobilizer.delivery.reports import Report
from mobilizer.installation import Installation
from mobilizer.problems import N_
from mobilizer.settings import Settings
from mobilizer.transport.lines import Errand, Line
from mobilizer.transport.outcomes import Trouble
from mobilizer.transport.relay import Timeouts
from mobilizer.transport.relays import Relays, RelaysError, Route, load_relays

SLICE_SECONDS = 60.0
TROUBLE_WAIT_SECONDS = 30.0
LOOK_ROUND_SECONDS = 0.5
ROOM_SECONDS = 30.0  # for how long answers in hand wait for a disk that is full

log = structlog.get_logger()


class Slice:
    """One owner's minute of work: its leases, its lanes, and the post between them."""

    def __init__(
        self,
        installation: Installation,
        relays: Relays,
        connection: Connection,
        owner: str,
        stop: Callable[[], bool],
        report: Report,
        thanks: Thanks = unthanked,
    ) -> None:
        self._installation = installation
        settings = installation.settings
        pace = pace_beside_others(installation, relays)
        mailboxes = Mailboxes(providers_of(installation, relays), pace, installation.keyring.domain_key)
        self._hands = Hands(installation, connection, owner, report, mailboxes.of, thanks)
        self._pacing = Pacing(self._hands, pace, mailboxes)
        self._post = Post(self._hands, self._pacing)
        self._lanes = self._post.lanes = Lanes(relays.routes, _timeouts(settings), self._carry, self._pacing.troubled)
        self._asking: deque[tuple[Line, Message]] = deque()  # for their claims, and not yet told
        self._stop = stop
        self._until = time.monotonic() + SLICE_SECONDS

    def run(self, batch_id: int) -> None:
        """Send a batch and further ones of any sending blast, until the minute is over, `stop` says so, or none is
        left. What has been handed over is waited for."""
        delay = TROUBLE_WAIT_SECONDS
        try:
            self._hands.take(batch_id)
            self._work()
            trouble = self._lanes.trouble or self._hands.trouble or self._lanes.last
            if trouble is not None:
                self._note(trouble)
            else:
                delay = 0.0
        except Exception as error:
            self._save_what_is_known()
            if not disk_is_full(error):
                # A fault of our own must not be repeated for a whole audience: it counts like the relay's trouble.
                self._note(Trouble(N_("The sending software failed. Its log says how.")))
            raise
        finally:
            self._lanes.lines.close()
            self._pacing.close()
            self._hands.give_back(delay)

    def _work(self) -> None:
        while not self._hands.empty and (self._post.handed or not self._over()):
            self._hands.keep()
            more = False
            if self._over():
                self._hands.let_go()
            else:
                more = self._fill_lanes()
                # While relays think: as many as are out will be wanted at once when they have answered.
                self._hands.make_ahead(len(self._post.handed))
            # A lane that is idle waits for a token, one that is not for its relay; while people come in, neither does.
            token = self._pacing.wait if self._post.idle else LOOK_ROUND_SECONDS
            self._lanes.lines.wait(0.0 if more else min(LOOK_ROUND_SECONDS, token))
            self._claim_and_settle()
        self._hands.commit([])

    def _over(self) -> bool:
        trouble = self._lanes.trouble or self._hands.trouble
        return trouble is not None or time.monotonic() > self._until or self._stop()

    def _fill_lanes(self) -> bool:
        """Give each lane a message, as far as the pace allows. Whether further people have come into hand for it."""
        more = self._hands.take_more(self._lanes.limit)
        self._lanes.open(self._hands.unsent)
        if self._pacing.due() or self._hands.waiting:
            idle, self._post.idle = self._post.idle, []
            for line in idle:
                self._lanes.lines.resume(line, True)
        return more

    def _claim_and_settle(self) -> None:
        self._asking = asking = deque(self._post.ready)
        self._post.ready.clear()
        allowed = self._hands.commit([(message.hand, message.relay, message.delivery) for _, message in asking])
        # Who has hung up by now has done so before a byte of the content was written: nothing is uncertain.
        self._lanes.lines.listen(line for line, _ in asking)
        while asking:
            line, message = asking[0]
            self._lanes.lines.resume(line, message.delivery in allowed)
            asking.popleft()

    def _save_what_is_known(self) -> None:
        """After a fault of our own: what was claimed and not handed over is pending, every answer is written down."""
        for line, message in self._asking:
            if line not in self._post.handed:
                self._post.unsent(message)
        try:
            self._commit_when_there_is_room()
        except Exception:
            # The next owner of the lease finds the rows uncertain. This line is then all that is known of them.
            log.exception("answers_not_written", known=self._hands.unwritten)

    def _commit_when_there_is_room(self) -> None:
        """Commit; where the disk is full, try for a while. What answers come meanwhile are written down with it."""
        until = time.monotonic() + ROOM_SECONDS
        while True:
            try:
                self._hands.commit([])
                return
            except Exception as error:
                if not disk_is_full(error) or time.monotonic() > until:
                    raise
            self._lanes.lines.wait(LOOK_ROUND_SECONDS)

    def _carry(self, line: Line, route: Route) -> Errand:
        return Carrier(self._post, line, route).run()

    def _note(self, trouble: Trouble) -> None:
        log.warning("relay_trouble", blasts=sorted(self._hands.worked), reason=trouble.reason, fatal=trouble.fatal)
        for blast in self._hands.worked:
            with self._installation.database.write() as session:
                holds.note_trouble(session, blast, trouble, self._installation.settings.hold_after)


def send(
    installation: Installation,
    batch_id: int,
    owner: str,
    stop: Callable[[], bool],
    report: Report | None = None,
    thanks: Thanks = unthanked,
) -> None:
    """Send a batch and further ones, and write into `report` what came of it, also where it breaks; `thanks` knows what
    came of sharing. Safe to run at any time and any number of times: what is not ours to lease is left alone."""
    try:
        relays = load_relays(installation.settings)
    except RelaysError as error:
        trouble = Trouble(N_("The relays can't be used: %(reason)s"), True, reason=error)
        note = partial(holds.note_trouble, trouble=trouble, hold_after=installation.settings.hold_after)
        _tell_blast_of(installation, batch_id, note)
        return
    try:
        with installation.database.steady() as connection:
            Slice(installation, relays, connection, owner, stop, report or Report(), thanks).run(batch_id)
    except Exception as error:
        if disk_is_full(error):
            _tell_blast_of(installation, batch_id, holds.note_full_disk)
        raise


def _tell_blast_of(installation: Installation, batch_id: int, note: Callable[[Session, int], None]) -> None:
    with installation.database.write() as session:
        blast = session.scalar(select(Batch.blast_id).where(Batch.id == batch_id))
        if blast is not None:
            note(session, blast)


def _timeouts(settings: Settings) -> Timeouts:
    return Timeouts(settings.smtp_connect_seconds, settings.smtp_command_seconds, settings.smtp_reply_seconds)
