"""Selftest: hands. The hand of time, which lets nobody wait, and the hand of the person who mends and says go on.

A row that was told "not now" waits five minutes and more, a lease of a dead process two: the test would take days.
So what waits is moved to now in the database, where all waiting is written; no process is told anything. A relay that
says "too fast" slows everybody down for minutes: that is forgotten in Redis, as if it had been lost.
"""

from __future__ import annotations

from collections.abc import Collection
from contextlib import suppress

from redis import Redis
from redis.exceptions import RedisError
from sqlalchemy import Select, select, update
from sqlalchemy.orm import Session

from mobilizer.appeals.states import approve, content_hash
from mobilizer.blasts import lifecycle
from mobilizer.blasts.blasts import Blast, BlastState
from mobilizer.db import clock
from mobilizer.delivery import late, waves
from mobilizer.delivery.ledger import Batch, BatchState, Delivery, DeliveryState, Heartbeat, is_open
from mobilizer.delivery.waves import Kind
from mobilizer.engagement import winners
from mobilizer.pace.store import PREFIX
from mobilizer.selftest.crew import is_alive
from mobilizer.selftest.site import Site


def move_time(site: Site) -> None:
    """Let everything be due that waits, every lease be over whose owner is dead, and no pace be slowed."""
    with suppress(RedisError), Redis.from_url(site.settings.redis_url) as redis:
        for name in redis.scan_iter(f"{PREFIX}*"):
            redis.delete(name)
        redis.delete("mobilizer:slowed")
    with site.installation.database.write() as session:
        for owner in _owners(session, site.blast):
            if not is_alive(owner):
                end_leases(session, site.blast, owner)
        session.execute(
            update(Delivery)
            .where(Delivery.blast_id == site.blast, is_open(), Delivery.next_at > clock())
            .values(next_at=clock())
            .execution_options(synchronize_session=False)
        )
        session.execute(
            update(Batch)
            .where(Batch.blast_id == site.blast, Batch.state == BatchState.OPEN, Batch.due_at > clock())
            .values(due_at=clock())
            .execution_options(synchronize_session=False)
        )
        session.execute(
            update(Blast)
            .where(Blast.id == site.blast, Blast.state == BlastState.HELD, Blast.retry_at > clock())
            .values(retry_at=clock())
            .execution_options(synchronize_session=False)
        )


def end_leases(session: Session, blast: int, owner: str) -> None:
    """Let an owner's leases be over, as if the time for them had gone by."""
    session.execute(
        update(Batch)
        .where(Batch.blast_id == blast, Batch.state == BatchState.LEASED, Batch.owner == owner)
        .values(lease_until=clock(-1))
        .execution_options(synchronize_session=False)
    )


def jump(site: Site, seconds: float) -> list[str]:
    """Let the clock jump by so much, ahead or back: what was written down as a moment to come is that much further
    back, or ahead. Of all there is, but for what is over. Who was sending lost their leases by it: those are given."""
    with site.installation.database.write() as session:
        owners = _owners(session, site.blast)
        for column, rows in (
            (Batch.lease_until, (Batch.blast_id == site.blast, Batch.state == BatchState.LEASED)),
            (Batch.due_at, (Batch.blast_id == site.blast, Batch.state == BatchState.OPEN)),
            (Delivery.next_at, (Delivery.blast_id == site.blast, is_open(), Delivery.next_at.is_not(None))),
            (Blast.retry_at, (Blast.id == site.blast, Blast.retry_at.is_not(None))),
            (Heartbeat.beat_at, ()),
        ):
            session.execute(
                update(column.class_)
                .where(*rows)
                .values({column.key: clock(-seconds)})
                .execution_options(synchronize_session=False)
            )
    return owners


def pause(site: Site) -> bool:
    """What a person does who wants it to stop for now. Whether it was sending."""
    with site.installation.database.write() as session:
        return lifecycle.pause(session, site.blast)


def resume(site: Site) -> bool:
    """And who wants it to go on."""
    with site.installation.database.write() as session:
        return lifecycle.resume(session, site.blast, start=(BlastState.PAUSED,))


def go_on(site: Site) -> bool:
    """What a person does with a held blast, once what it says is mended. Whether there was anything to do."""
    with site.installation.database.write() as session:
        return session.scalar(_held(site)) is not None and lifecycle.resume(
            session, site.blast, start=(BlastState.HELD,)
        )


def let_go(site: Site) -> dict[int, int]:
    """What a person does when all that could leave has left and some are held: they let the next part go, choose
    its variant, or approve the language that it waits for. Its number and its people, if there is one."""
    gone = site.final()
    with site.installation.database.write() as session:
        held, blast = waves.held(session, site.blast), session.get_one(Blast, site.blast)
        if not held or gone + sum(wave.people for wave in held) < len(site.audience):
            return {}
        wave = held[-1]
        if wave.kind == Kind.LANGUAGE:
            words = next(one for one in blast.appeal.translations if one.language == wave.language)
            approve(session, blast.appeal, words, None, content_hash(blast.appeal, words))
        elif wave.kind == Kind.WINNER:
            winners.choose(session, blast, wave.language, wave.variants[-1])
        else:
            late.let_go(session, site.settings, blast, wave)
        return {wave.n: wave.people}


def is_held(site: Site) -> bool:
    """Whether the blast holds itself until a person comes."""
    with site.installation.database.read() as session:
        return session.scalar(_held(site)) is not None


def owners(site: Site) -> list[str]:
    """The processes that send now, as leases name them."""
    with site.installation.database.read() as session:
        return [owner for owner in _owners(session, site.blast) if is_alive(owner)]


def pending_among(site: Site, members: Collection[int]) -> set[int]:
    """Those of the members whose message has not started."""
    with site.installation.database.read() as session:
        return set(
            session.scalars(
                select(Delivery.member_id).where(
                    Delivery.blast_id == site.blast,
                    is_open(),
                    Delivery.state == DeliveryState.PENDING,
                    Delivery.member_id.in_(members),
                )
            )
        )


def pending(site: Site) -> set[int]:
    """The members whose message has not started."""
    return pending_among(site, site.audience)


def begun_among(site: Site, members: Collection[int]) -> set[int]:
    """Those of the members whose message was claimed, whatever came of it."""
    claimed = (DeliveryState.HANDING, DeliveryState.ACCEPTED, DeliveryState.UNCERTAIN)
    with site.installation.database.read() as session:
        return set(
            session.scalars(
                select(Delivery.member_id).where(
                    Delivery.blast_id == site.blast, Delivery.state.in_(claimed), Delivery.member_id.in_(members)
                )
            )
        )


def _held(site: Site) -> Select[int]:
    return select(Blast.id).where(Blast.id == site.blast, Blast.state == BlastState.HELD, Blast.retry_at.is_(None))


def waiting_in_hand(site: Site, most: int = 20) -> list[int]:
    """Members whose message a sender has on its list and will come to last."""
    leased = select(Batch.id).where(Batch.blast_id == site.blast, Batch.state == BatchState.LEASED)
    with site.installation.database.read() as session:
        return list(
            session.scalars(
                select(Delivery.member_id)
                .where(
                    Delivery.blast_id == site.blast,
                    is_open(),
                    Delivery.state == DeliveryState.PENDING,
                    Delivery.batch_id.in_(leased),
                )
                .order_by(Delivery.id.desc())
                .limit(most)
            )
        )


def _owners(session: Session, blast: int) -> list[str]:
    return sorted(
        session.scalars(select(Batch.owner).where(Batch.blast_id == blast, Batch.state == BatchState.LEASED).distinct())
    )
