"""Web: metrics. What Prometheus asks for, for whoever knows the token: numbers, and no word about a person."""

from __future__ import annotations

import hmac
import threading
import time
from collections.abc import Iterable, Mapping
from math import inf

from flask import Blueprint, Response, abort, current_app, request
from flask.typing import ResponseReturnValue
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector
from redis.exceptions import RedisError

from mobilizer import jobs, recording
from mobilizer.custody.retention import RULES
from mobilizer.delivery.figures import Figures, figures
from mobilizer.delivery.reports import OUTCOMES
from mobilizer.http import installation
from mobilizer.installation import Installation
from mobilizer.notices.listing import mails_by_state
from mobilizer.web.policy import anyone

blueprint = Blueprint("metrics", __name__)

KEPT_SECONDS = 5.0  # however often it is asked, the database is asked no more often than this
KEPT = "mobilizer.metrics"
_asking = threading.Lock()


@blueprint.get("/metrics")
@anyone
def metrics() -> ResponseReturnValue:
    """The figures as Prometheus reads them. Not there at all where no token is set."""
    token = installation().settings.metrics_token or abort(404)
    said = request.headers.get("Authorization", "")
    if not hmac.compare_digest(said.encode(), f"Bearer {token}".encode()):
        return Response(status=401, headers={"WWW-Authenticate": "Bearer"})
    return Response(_kept(installation()), content_type=CONTENT_TYPE_LATEST)


def _kept(here: Installation) -> bytes:
    with _asking:
        at, text = current_app.extensions.get(KEPT, (float("-inf"), b""))
        if time.monotonic() - at > KEPT_SECONDS:
            registry = CollectorRegistry()
            registry.register(Watch(here))
            text = generate_latest(registry)
            current_app.extensions[KEPT] = time.monotonic(), text
    return bytes(text)


class Watch(Collector):
    """Asks ledger and queue anew each time, so that all web processes say the same and nothing must be added up."""

    def __init__(self, here: Installation) -> None:
        self._here = here

    def collect(self) -> Iterable[Metric]:
        """Every figure there is."""
        with self._here.database.read() as session:
            now, mails = figures(session), mails_by_state(session)
        yield from _blasts(now)
        yield _by("batches", "Batches of blasts in motion.", "state", now.batches)
        yield _by("notice_mails", "Mails of notices to organizers.", "state", mails)
        alive = {"worker": now.workers, "reconciler": now.reconcilers}
        yield _by("processes", "Processes that are alive, by their own word.", "role", alive)
        ago = now.reconciled_seconds_ago
        yield _one("reconciled_seconds_ago", "Seconds since a reconciler went round.", inf if ago is None else ago)
        yield from self._queue()

    def _queue(self) -> Iterable[Metric]:
        try:
            waiting, hits = len(jobs.queued(self._here.settings)), recording.hits_waiting(self._here)
            counted = jobs.counted(self._here.settings)
        except RedisError:
            yield _one("queue_up", "Whether the Redis-protocol server answers.", 0)
            return
        yield _one("queue_up", "Whether the Redis-protocol server answers.", 1)
        yield _one("queue_jobs", "Jobs that wait in the queue.", waiting)
        yield _one("hits_waiting", "Clicks, opens and visits that wait to be written down.", hits)
        yield from _counters(counted)


def _blasts(now: Figures) -> Iterable[Metric]:
    yield _by("blasts", "Blasts.", "state", now.blasts)
    yield _one("uncertain_undecided", "Uncertain mails that wait for a decision.", now.undecided)
    troubles = {blast.slug: blast.troubles for blast in now.live}
    yield _by("relay_troubles", "The relay's troubles in a row, of blasts in motion.", "blast", troubles)
    deliveries = GaugeMetricFamily(
        "mobilizer_deliveries", "Deliveries of blasts in motion.", labels=["blast", "outcome"]
    )
    for blast in now.live:
        for outcome, count in blast.deliveries.items():
            deliveries.add_metric([blast.slug, outcome], count)
    yield deliveries


def _counters(counted: Mapping[str, float]) -> Iterable[Metric]:
    """What the workers have counted since Redis began; Prometheus knows how to go on after a loss."""
    messages = CounterMetricFamily("mobilizer_messages", "Messages that workers have settled.", labels=["outcome"])
    for outcome in OUTCOMES:
        messages.add_metric([outcome], counted.get(outcome, 0))
    yield messages
    forgotten = CounterMetricFamily("mobilizer_forgotten", "What was kept for its time and is gone.", labels=["what"])
    for rule in RULES:
        if rule.forget:
            forgotten.add_metric([rule.name], counted.get(f"forgotten_{rule.name}", 0))
    yield forgotten
    for name, says in (
        ("slices", "Pieces of sending work."),
        ("slice_seconds", "Seconds that workers spent on them."),
        ("commits", "Commits that claimed or settled messages."),
    ):
        yield CounterMetricFamily(f"mobilizer_{name}", says, value=counted.get(name, 0))


def _one(name: str, says: str, value: float) -> Metric:
    return GaugeMetricFamily(f"mobilizer_{name}", says, value=value)


def _by(name: str, says: str, label: str, values: Mapping[str, float]) -> Metric:
    family = GaugeMetricFamily(f"mobilizer_{name}", says, labels=[label])
    for key, value in values.items():
        family.add_metric([key], value)
    return family
