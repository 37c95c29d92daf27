"""Whoever comes by a share stands so many steps from the mail, and a member may let their name be seen as a sharer.

Revision ID: 0040
Revises: 0039
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from mobilizer.db import Instant

revision = "0040"
down_revision = "0039"
branch_labels = None
depends_on = None

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_STEPPED = sa.text("step IS NOT NULL")
_KNOWN = """
    UPDATE events SET step = coalesce(
        (SELECT generation FROM recruits WHERE member_id = events.via_id AND recruits.blast_id = events.blast_id), 0
    ) + 1
    WHERE via_id IS NOT NULL AND blast_id IS NOT NULL AND kind IN ('visit', 'watch')
"""


def upgrade() -> None:
    op.add_column("events", sa.Column("step", sa.Integer()))
    op.execute(_KNOWN)
    op.create_index(
        "ix_events_step",
        "events",
        ["blast_id", "step", "kind", "machine", "channel"],
        sqlite_where=_STEPPED,
        postgresql_where=_STEPPED,
    )
    op.drop_index("ix_recruits_blast", "recruits")
    op.create_index(
        "ix_recruits_blast", "recruits", ["blast_id", "generation", "via_language", "via_country", "channel"]
    )
    op.create_table(
        "named_sharers",
        sa.Column(
            "member_id",
            BIG,
            sa.ForeignKey("members.id", name=op.f("fk_named_sharers_member_id"), ondelete="CASCADE"),
            nullable=False,
            autoincrement=False,
        ),
        sa.Column("wording", sa.String(), nullable=False),
        sa.Column("wording_language", sa.String(), nullable=False),
        sa.Column("agreed_at", Instant(), nullable=False),
        sa.PrimaryKeyConstraint("member_id", name=op.f("pk_named_sharers")),
    )


def downgrade() -> None:
    op.drop_table("named_sharers")
    op.drop_index("ix_recruits_blast", "recruits")
    op.create_index("ix_recruits_blast", "recruits", ["blast_id", "generation"])
    op.drop_index("ix_events_step", "events")
    op.drop_column("events", "step")
