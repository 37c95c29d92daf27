"""A delivery is numbered by its blast and its member: one index where there were three, and no foreign keys.

Revision ID: 0005
Revises: 0004
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.schema import SchemaItem

from mobilizer.db import Instant

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
NUMBER = "blast_id * 4294967296 + member_id"
COLUMNS = (
    "blast_id", "member_id", "batch_id", "list_id", "language", "caught_by", "state", "epoch", "tries", "next_at",
    "code", "reason", "reply", "settled_at", "relay", "provider", "decided_at",
)  # fmt: skip


def one_of(*states: str) -> sa.TextClause:
    return sa.text(" OR ".join(f"state = '{state}'" for state in states))


OPEN, NOT_SENT = one_of("pending", "handing"), one_of("rejected", "skipped", "uncertain")
WAS_OPEN = sa.text("state IN ('pending', 'handing')")
WAS_NOT_SENT = sa.text("state IN ('rejected', 'skipped', 'uncertain')")


def upgrade() -> None:
    anew(
        NUMBER,
        sa.Column("id", BIG, autoincrement=False, nullable=False),
        sa.CheckConstraint(f"id = {NUMBER}", name=op.f("ck_deliveries_number")),
        sa.CheckConstraint("member_id BETWEEN 0 AND 4294967295", name=op.f("ck_deliveries_member")),
        sa.CheckConstraint(
            one_of("pending", "handing", "accepted", "rejected", "skipped", "uncertain"),
            name=op.f("ck_deliveries_state"),
        ),
    )
    index(OPEN, NOT_SENT)
    op.execute("UPDATE blasts SET frozen_up_to = 4294967296 WHERE state IN ('sending', 'paused', 'held', 'sent')")


def downgrade() -> None:
    anew(
        "row_number() OVER (ORDER BY id)",
        sa.Column("id", BIG, autoincrement=True, nullable=False),
        sa.CheckConstraint(
            "state IN ('pending', 'handing', 'accepted', 'rejected', 'skipped', 'uncertain')",
            name=op.f("ck_deliveries_state"),
        ),
        sa.ForeignKeyConstraint(["batch_id"], ["batches.id"], name=op.f("fk_deliveries_batch_id"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["blast_id"], ["blasts.id"], name=op.f("fk_deliveries_blast_id"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["list_id"], ["lists.id"], name=op.f("fk_deliveries_list_id"), ondelete="SET NULL"),
        sa.UniqueConstraint("blast_id", "member_id", name=op.f("uq_deliveries_blast_id_member_id")),
    )
    index(WAS_OPEN, WAS_NOT_SENT)
    op.create_index("ix_deliveries_member", "deliveries", ["member_id"])


def anew(number: str, *own: SchemaItem) -> None:
    """Copy the table into one with other constraints: SQLite can't drop any, and every number changes."""
    names = ", ".join(COLUMNS)
    op.rename_table("deliveries", "deliveries_before")
    if op.get_bind().dialect.name == "postgresql":
        op.drop_constraint("pk_deliveries", "deliveries_before")
    for name in ("ix_deliveries_open", "ix_deliveries_not_sent"):
        op.drop_index(name, "deliveries_before")
    op.create_table(
        "deliveries",
        *own,
        sa.Column("blast_id", BIG, nullable=False),
        sa.Column("member_id", BIG, nullable=False),
        sa.Column("batch_id", BIG, nullable=False),
        sa.Column("list_id", BIG, nullable=True),
        sa.Column("language", sa.String(), nullable=False),
        sa.Column("caught_by", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("epoch", sa.Integer(), nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("next_at", Instant(), nullable=True),
        sa.Column("code", sa.Integer(), nullable=True),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("reply", sa.String(), nullable=False),
        sa.Column("settled_at", Instant(), nullable=True),
        sa.Column("relay", sa.String(), nullable=True),
        sa.Column("provider", sa.String(), nullable=True),
        sa.Column("decided_at", Instant(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_deliveries")),
    )
    op.execute(f"INSERT INTO deliveries (id, {names}) SELECT {number}, {names} FROM deliveries_before ORDER BY id")  # noqa: S608
    op.drop_table("deliveries_before")


def index(still_open: sa.TextClause, not_sent: sa.TextClause) -> None:
    """The partial indexes."""
    for name, columns, condition in (
        ("ix_deliveries_open", ["blast_id", "batch_id"], still_open),
        ("ix_deliveries_not_sent", ["blast_id", "state", "reason", "language"], not_sent),
    ):
        op.create_index(name, "deliveries", columns, sqlite_where=condition, postgresql_where=condition)
