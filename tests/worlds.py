"""A small world to test in: an organisation with members, an appeal in two languages and a blast of it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from mobilizer.appeals.appeals import Appeal, Translation
from mobilizer.audience.lists import MemberList, Standing, Subscription
from mobilizer.audience.members import Identity, Member, seal_identity
from mobilizer.blasts import launching, lifecycle
from mobilizer.blasts.blasts import Blast
from mobilizer.blasts.lifecycle import Plan
from mobilizer.codes import share_code
from mobilizer.delivery import launch
from mobilizer.delivery.ledger import Batch, Delivery
from mobilizer.installation import Installation

WORDS = {
    "en": ("Love always wins", "Hello {{ first_name }},", "Hello friend,", "Watch it. [Read more](https://example.org/en)"),
    "es": ("El amor siempre gana", "Hola, {{ first_name }}:", "Hola:", "Míralo. [Más](https://example.org/es)"),
}  # fmt: skip


@dataclass
class World:
    """An installation with something in it; the verbs a story needs, each in a transaction of its own."""

    installation: Installation
    list_id: int = 0
    blast_id: int = 0
    members: list[int] = field(default_factory=list)

    def make_list(self, slug: str = "everyone") -> int:
        """A new list; the first one is the world's own."""
        with self.installation.database.write() as session:
            made = MemberList(slug=slug, name=slug.title())
            session.add(made)
            session.flush()
            self.list_id = self.list_id or made.id
            return made.id

    def join(self, languages: Iterable[str], list_id: int | None = None, domain: str = "example.org") -> list[int]:
        """New members, one for each language, confirmed on a list."""
        with self.installation.database.write() as session:
            new = [self._member(session, tag, len(self.members) + n, domain) for n, tag in enumerate(languages)]
            for member in new:
                session.add(
                    Subscription(
                        list_id=list_id or self.list_id, member_id=member.id, standing=Standing.CONFIRMED, how="test"
                    )
                )
            ids = [member.id for member in new]
        self.members += ids
        return ids

    def write_appeal(self, slug: str = "love-always-wins", words: dict[str, tuple[str, ...]] = WORDS) -> None:
        """A complete appeal in each language of `words` and a draft blast of it to the world's list."""
        with self.installation.database.write() as session:
            appeal = Appeal(slug=slug, source_language="en")
            appeal.translations = [_translation(tag, *texts) for tag, texts in words.items()]
            session.add(appeal)
            session.flush()
            self.blast_id = lifecycle.create(session, appeal, slug, Plan(included=(self.list_id,))).id

    def launch(self) -> bool:
        """Launch the blast as anyone sees it now, and freeze its audience."""
        with self.installation.database.write() as session:
            blast = session.get_one(Blast, self.blast_id)
            launched = launching.launch(session, self.installation.settings, blast, launching.seen(blast))
        launch.freeze(self.installation, self.blast_id)
        return launched

    def batches(self) -> Sequence[int]:
        """Ids of the blast's batches."""
        with self.installation.database.read() as session:
            return session.scalars(select(Batch.id).where(Batch.blast_id == self.blast_id).order_by(Batch.id)).all()

    def states(self) -> dict[str, int]:
        """The blast's deliveries by state."""
        with self.installation.database.read() as session:
            rows = session.execute(
                select(Delivery.state, func.count()).where(Delivery.blast_id == self.blast_id).group_by(Delivery.state)
            )
            return {str(row[0]): row[1] for row in rows}

    def delivery(self, member_id: int) -> Delivery:
        """What became of one member."""
        with self.installation.database.read() as session:
            return session.scalars(
                select(Delivery).where(Delivery.blast_id == self.blast_id, Delivery.member_id == member_id)
            ).one()

    def blast(self) -> Blast:
        """The blast as it is now."""
        with self.installation.database.read() as session:
            return session.get_one(Blast, self.blast_id)

    def _member(self, session: Session, tag: str, n: int, domain: str) -> Member:
        identity = Identity(f"member{n}@{domain}", f"Ana{n} López")
        address_key, domain_key, sealed = seal_identity(self.installation.keyring, identity)
        member = Member(
            address_key=address_key, domain_key=domain_key, sealed=sealed, language=tag, share_code=share_code()
        )
        session.add(member)
        session.flush()
        return member


def _translation(tag: str, title: str, greeting: str, nameless: str, body: str) -> Translation:
    return Translation(
        language=tag,
        title=title,
        subject=title,
        preheader=f"{title}!",
        greeting=greeting,
        greeting_nameless=nameless,
        body=body,
        button=title,
        poster_alt=title,
        share_text=title,
    )
