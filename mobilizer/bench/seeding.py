"""Bench: seeding. A process of its own fills the ground and launches the blast, so the sender's memory is its own.

`python -m mobilizer.bench.seeding PLAN` works on the installation that its environment names.
"""

from __future__ import annotations

import sys

from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from mobilizer import tables
from mobilizer.appeals.files import put_appeal
from mobilizer.bench import people
from mobilizer.bench.plan import Plan
from mobilizer.bench.words import words
from mobilizer.blasts import launching, lifecycle
from mobilizer.blasts.blasts import Blast
from mobilizer.delivery import launch
from mobilizer.demo.contents import FOLDER
from mobilizer.installation import Installation, install
from mobilizer.migrations import upgrade
from mobilizer.settings import Settings, load_settings

KEY_BITS = 2048


def seed(installation: Installation, plan: Plan) -> None:
    """Everything before the first message, through the functions that a real launch goes through."""
    upgrade(installation.database)
    lists = people.fill(installation, plan.messages)
    _look_around(installation)
    if plan.sign == "rsa":
        write_key(installation.settings)
    with installation.database.write() as session:
        appeal = put_appeal(session, installation.settings.media, words(), FOLDER)
        blast = lifecycle.create(session, appeal, appeal.slug, lifecycle.Plan(tuple(lists), chain=("en",)))
        number = blast.id
    with installation.database.write() as session:
        blast = session.get_one(Blast, number)
        if not launching.launch(session, installation.settings, blast, launching.seen(blast)):
            raise RuntimeError("the blast could not be launched")
    launch.freeze(installation, number)


def _look_around(installation: Installation) -> None:
    """What PostgreSQL's own housekeeping has long done where members have come over the years."""
    with installation.database.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        if connection.dialect.name == "postgresql":
            connection.exec_driver_sql("VACUUM ANALYZE")


def write_key(settings: Settings) -> None:
    """A fresh DKIM key where the sender looks for one."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=KEY_BITS)
    folder = settings.home / "dkim" / settings.sender_domain
    folder.mkdir(parents=True)
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    (folder / "bench.pem").write_bytes(pem)


def main() -> None:
    """The process."""
    tables.complete()
    installation = install(load_settings())
    seed(installation, Plan.loads(sys.argv[1]))
    installation.database.close()


if __name__ == "__main__":
    main()
