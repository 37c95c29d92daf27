"""Selftest: the campaign. Launches the blast, lets everything go wrong in a seed's order, and sees it through."""

from __future__ import annotations

import random
import time
from collections import Counter
from collections.abc import Callable

from mobilizer.blasts.blasts import BlastState
from mobilizer.delivery.ledger import DeliveryState
from mobilizer.demo.children import Child
from mobilizer.demo.supervisor import StopSign
from mobilizer.failpoints import Point
from mobilizer.selftest import hands, hurts, relay
from mobilizer.selftest.crew import CONTEXT, Mate, reconcile, work
from mobilizer.selftest.relay import HOST, Ports
from mobilizer.selftest.site import CONNECTIONS, Site, take_off
from mobilizer.settings import Settings

WORKERS = 2
BREATH_SECONDS, TIME_SECONDS, NOTICED_SECONDS = 0.05, 0.3, 1.0
STEP_SECONDS = 1.5
LEAST_PACE = 4.0  # slower, and answers would come too late for every connection's patience
LIMIT_SECONDS, SLOWEST_PER_SECOND = 300.0, 10.0
MANY = 500  # people: enough for everything to happen twice
FREEZING = (Point.FREEZE_BEFORE_COMMIT, Point.FREEZE_AFTER_COMMIT)
FINISHING = Point.FINISH_BEFORE_COMMIT  # the reconciler's
BY_BATCH = ("lease", "give_back")
SENDING = tuple(point for point in Point if point not in (*FREEZING, FINISHING))
Tell = Callable[[str, int], None]


class Stuck(RuntimeError):
    """The test could not go on; the words say where."""


class Stopped(Exception):
    """A person has stopped the test."""


class Campaign:
    """One run on one site. Afterwards what it counted says what was done.

    `cut` are the connections that processes had, at most, when they were killed or stopped; `cut_off` those of
    processes that lost the database, or their leases while they went on; `stood` names those."""

    def __init__(self, site: Site, queue: Child, seed: int, stop: StopSign, tell: Tell) -> None:
        self.site, self.queue = site, queue
        self.chance = random.Random(seed)  # noqa: S311 - an order of events, not a secret
        self.kills: Counter[str] = Counter()
        self.can_hurt = hurts.of(site.installation.database.engine.dialect.name)
        self.hurts: Counter[str] = Counter()
        self.stood: Counter[str] = Counter()
        self.cut = self.cut_off = self.restarts = self.holds = 0
        self.taken_off, self.left, self.suppressed = set(site.suppressed), set(site.suppressed), set(site.suppressed)
        self.let_go: dict[int, int] = {}  # people who were held, by the number of their wave
        self.wrong: list[str] = []
        self._stop, self._tell = stop, tell
        self._leaving: dict[int, float] = {}
        self._moved, self._final = 0.0, 0
        self._limit = time.monotonic() + LIMIT_SECONDS + len(site.audience) / SLOWEST_PER_SECOND
        self.relay = Mate("relay", site.box.log / "relay.log", relay.run)
        self.pace = CONTEXT.Value("d", 0.0, lock=False)
        self.workers = [Mate(f"worker-{n}", site.box.log / f"worker-{n}.log", work) for n in range(1, WORKERS + 1)]
        self.reconciler = Mate("reconciler", site.box.log / "reconciler.log", reconcile)
        self._armed: dict[str, Point | None] = {}
        self._settings: dict[str, Settings] = {}
        self._left: set[Point] = set()
        self.standing = False

    def run(self, ports: Ports) -> None:
        """The whole of it. Raises Stuck, Stopped; the processes are left to the caller to stop."""
        settings = self.site.settings.model_copy(update={"smtp_host": HOST, "smtp_port": ports.mail})
        unprotected = {"smtp_tls": "starttls", "smtp_port": ports.starttls}
        unknown = {"smtp_user": "somebody", "smtp_password": "wrong", "smtp_port": ports.auth}
        self._man(self.reconciler, settings, FINISHING)
        self._launch(settings.model_copy(update=unprotected))
        self._held("STARTTLS")
        self._relieve_workers(settings.model_copy(update=unknown))
        self._held("sign-in")
        self._send(settings)
        self._finish(settings)

    # -- the parts of it ---------------------------------------------------------------------------

    def _launch(self, settings: Settings) -> None:
        """Freeze the audience, and die on the way."""
        self._left = set(FREEZING)
        for mate in self.workers:
            self._man(mate, settings, self._next())
        self._until(lambda: not self._left or self.site.state() != BlastState.LAUNCHING, "Freezing the audience")
        self._left.clear()

    def _held(self, what: str) -> None:
        """Let the relay fail at the door: the blast must hold itself, and no member may be touched."""
        hands.go_on(self.site)
        self._until(lambda: hands.is_held(self.site), f"The relay's {what} fails", person=False)
        states = self.site.states()
        if not states.keys() <= {DeliveryState.PENDING, DeliveryState.SKIPPED}:
            self.wrong.append(f"the relay's trouble with {what} changed rows: {states}")

    def _send(self, settings: Settings) -> None:
        """Send with kills at every failpoint, and everything else that can happen to a machine."""
        left = [*self.can_hurt] * (2 if len(self.site.audience) >= MANY else 1)
        self.chance.shuffle(left)
        self._left = set(SENDING)
        self._relieve_workers(settings)
        while (self._left or left) and self._final < len(self.site.audience):
            self._set_pace(len(self._left) + len(left))
            self.breathe_for(STEP_SECONDS)
            if left:
                self._hurt(left.pop())
        self._left.clear()

    def _finish(self, settings: Settings) -> None:
        """Let it come to its end in peace, but for the one who declares it."""
        self.pace.value = 0.0
        self._relieve_workers(settings)
        self._until(lambda: self.site.state() == BlastState.SENT, "Sending what is left")
        self.wrong += ["nobody was held"] if self.site.held and not self.let_go else []
        self.wrong += [f"the failpoint {point} was never reached" for point in Point if not self.kills[point]]

    # -- what happens to processes --------------------------------------------------------------------

    def _hurt(self, name: str) -> None:
        """Do one more thing that can go wrong, and let somebody leave."""
        self._someone_leaves()
        self.hurts[name] += 1
        self.can_hurt[name](self)

    def _see_who_died(self) -> None:
        """A worker that died at a failpoint, or waits for one that is done, gets another; others are replaced."""
        for mate in (*self.workers, self.reconciler):
            hits = mate.hits()
            for point in hits:
                self.killed(point)
                self._left.discard(point)
            done = self._armed[mate.name] not in (None, FINISHING, *self._left)
            if hits or done:
                polite = not hits and self.chance.randrange(2) == 0 and not self.standing
                self._relieve(mate, self._settings[mate.name], self._next() if mate in self.workers else None, polite)
            elif not mate.running:
                self.restarts += 1
                mate.start()

    def _relieve_workers(self, settings: Settings) -> None:
        for mate in self.workers:
            self._relieve(mate, settings, self._next(), polite=True)

    def _relieve(self, mate: Mate, settings: Settings, point: Point | None, polite: bool) -> None:
        """End a process and start it anew, to be killed at a point or nowhere."""
        if mate.running:
            gone = mate.end(polite)
            if polite and not gone:
                self.wrong.append(f"{mate.name} was asked to end and did not")
            if not gone:
                self.killed(mate.name.partition("-")[0])
        self._man(mate, settings, point)

    def _man(self, mate: Mate, settings: Settings, point: Point | None) -> None:
        spelled = f"{point}:{self._times(point)}" if point else ""
        self._armed[mate.name], self._settings[mate.name] = point, settings
        mate.start(settings.model_copy(update={"failpoint": spelled}))

    def _times(self, point: Point) -> int:
        """At which pass to die: early in a small blast, so that it comes to it at all."""
        if point not in SENDING:
            return 1
        most = 2 if point.startswith(BY_BATCH) else 15
        return self.chance.randint(1, min(max(len(self.site.audience) // 300, 1), most))

    def _next(self) -> Point | None:
        """A point that nobody has died at yet, and that nobody is on the way to if there is a choice."""
        free = sorted(self._left - set(self._armed.values())) or sorted(self._left)
        return self.chance.choice(free) if free else None

    def killed(self, what: str) -> None:
        """Count a kill, and the connections that may have been cut by it."""
        self.kills[what] += 1
        if what in (*SENDING, "worker", "sender"):
            self.cut += CONNECTIONS

    # -- the passing of time ---------------------------------------------------------------------------

    def breathe_for(self, seconds: float) -> None:
        """Let time pass, and everything go on."""
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            self._breathe("")

    def wait_for(self, true: Callable[[], bool], seconds: float) -> bool:
        """Let time pass until something is true; whether it became so in time."""
        until = time.monotonic() + seconds
        while not (came := true()) and time.monotonic() < until:
            self._breathe("")
        return came

    def _until(self, true: Callable[[], bool], what: str, person: bool = True) -> None:
        while not true():
            self._breathe(what, person)

    def _breathe(self, what: str, person: bool = True) -> None:
        """One short wait, with everything that is to be done meanwhile. Raises Stopped, Stuck."""
        time.sleep(BREATH_SECONDS)
        if self._stop.told:
            raise Stopped
        now = time.monotonic()
        self._see_who_died()
        if not self.relay.running:
            raise Stuck("The test's own relay has ended; the test proves nothing.")
        if now - self._moved > TIME_SECONDS:
            self._moved = now
            hands.move_time(self.site)
            self.holds += person and hands.go_on(self.site)
            self.let_go |= hands.let_go(self.site) if person else {}
            self._notice(now)
            self._final = self.site.final()
        self._tell(what, self._final)
        if now > self._limit:
            raise Stuck(f"It took too long: {self.site.states()}, the blast is {self.site.state()}.")

    def _set_pace(self, steps: int) -> None:
        """Let what is left to send last for what is left to do."""
        self.pace.value = max((len(self.site.audience) - self._final) / (steps * STEP_SECONDS), LEAST_PACE)

    def _someone_leaves(self) -> None:
        """Take some off while the blast is being sent: of those whom a sender has on its list, and of all."""
        soon = hands.waiting_in_hand(self.site)
        for number in (*self.chance.sample(soon, min(len(soon), 2)), self.chance.choice(sorted(self.site.audience))):
            for_good = number % 2 == 0
            take_off(self.site.installation, number, for_good=for_good)
            self.left.add(number)
            self.suppressed |= {number} if for_good else set()
            self._leaving[number] = time.monotonic()

    def _notice(self, now: float) -> None:
        """Who left a while ago and has not been sent to by now must never be."""
        settled = [number for number, left_at in self._leaving.items() if now - left_at > NOTICED_SECONDS]
        if settled:
            self.taken_off |= hands.pending_among(self.site, settled)
            for number in settled:
                del self._leaving[number]
