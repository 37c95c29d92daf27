"""What the tests of appeals and blasts share: files, a world whose check list is green, a past to look back on."""

from __future__ import annotations

import re
from io import BytesIO
from typing import Any

from PIL import Image
from sqlalchemy import select, update

from mobilizer.appeals.appeals import Appeal, Translation
from mobilizer.appeals.media import keep
from mobilizer.delivery.ledger import Batch, Delivery, DeliveryState
from tests.web.conftest import Browser
from tests.worlds import World

MP4 = b"\0\0\0\x18ftypmp42" + b"\0" * 64
SEEN = re.compile(r'name="(seen_blast|seen_appeal|seen)" value="([^"]+)"')


def picture(width: int = 1200, height: int = 675) -> bytes:
    """A JPEG."""
    data = BytesIO()
    Image.new("RGB", (width, height), "#a5123d").save(data, "JPEG")
    return data.getvalue()


def make_ready(world: World) -> None:
    """Give the world's appeal a poster and a film, so that nothing forbids launch."""
    media = world.installation.settings.media
    with world.installation.database.write() as session:
        appeal = session.scalars(select(Appeal)).one()
        appeal.poster, appeal.video = keep(media, picture(), ".jpg"), keep(media, MP4, ".mp4")


def seen(browser: Browser, path: str) -> dict[str, str]:
    """The hidden fields that say what a page was drawn from."""
    return dict(SEEN.findall(browser.get(path).text))


def words_of(world: World, tag: str) -> Translation:
    """A translation as it is in the database."""
    with world.installation.database.read() as session:
        return session.scalars(select(Translation).where(Translation.language == tag)).one()


def settle(world: World, member: int, state: DeliveryState, **values: Any) -> None:
    """Write into the ledger what became of a member's mail, as a worker that holds its batch does."""
    with world.installation.database.write() as session:
        session.execute(update(Batch).where(Batch.blast_id == world.blast_id, Batch.epoch == 0).values(epoch=1))
        session.execute(
            update(Delivery)
            .where(Delivery.blast_id == world.blast_id, Delivery.member_id == member)
            .values(state=state, **values)
        )
