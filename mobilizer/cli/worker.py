"""Face: `mobilizer worker` and `mobilizer reconcile`, the two processes that make a blast go."""

from __future__ import annotations

import signal
import threading

import click

from mobilizer import jobs
from mobilizer.cli import main
from mobilizer.cli.opening import opened
from mobilizer.cli.relays import configured
from mobilizer.reconciler import Reconciler
from mobilizer.settings import Settings


@main.command()
@click.option("--burst", is_flag=True, help="End when the queue is empty.")
@click.pass_obj
def worker(settings: Settings, burst: bool) -> None:
    """Run one worker: it sends what the queue brings. Run as many as there are cores."""
    configured(settings)  # what is wrong with them is better said now than in the middle of a blast
    jobs.run_worker(opened(settings), burst=burst)


@main.command()
@click.option("--once", is_flag=True, help="Do one round and end.")
@click.pass_obj
def reconcile(settings: Settings, once: bool) -> None:
    """Run the reconciler: it queues what is due and declares blasts sent. One is enough; two do no harm."""
    reconciler = Reconciler(opened(settings))
    if once:
        reconciler.tick()
        return
    stop = threading.Event()
    for name in (signal.SIGINT, signal.SIGTERM):
        signal.signal(name, lambda *_: stop.set())
    reconciler.run(stop)
