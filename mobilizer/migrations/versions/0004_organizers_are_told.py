"""Organizers are told: what happened to a blast, the mail about it to each who wants one, and who wants which.

Revision ID: 0004
Revises: 0003
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from mobilizer.db import Instant

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.add_column("users", sa.Column("notices", sa.JSON(), nullable=False, server_default="{}"))
    op.create_table(
        "notices",
        sa.Column("id", BIG, autoincrement=True, nullable=False),
        sa.Column("blast_id", BIG, nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("occurrence", Instant(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("noted_at", Instant(), nullable=False),
        sa.CheckConstraint("kind IN ('held', 'finished', 'uncertain', 'late', 'stuck')", name=op.f("ck_notices_kind")),
        sa.ForeignKeyConstraint(["blast_id"], ["blasts.id"], name=op.f("fk_notices_blast_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_notices")),
        sa.UniqueConstraint("blast_id", "kind", "occurrence", name=op.f("uq_notices_blast_id_kind_occurrence")),
    )
    op.create_table(
        "notice_mails",
        sa.Column("id", BIG, autoincrement=True, nullable=False),
        sa.Column("notice_id", BIG, nullable=False),
        sa.Column("user_id", BIG, nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("next_at", Instant(), nullable=False),
        sa.Column("sent_at", Instant(), nullable=True),
        sa.Column("why", sa.String(), nullable=False),
        sa.CheckConstraint("state IN ('waiting', 'sent', 'failed', 'dropped')", name=op.f("ck_notice_mails_state")),
        sa.ForeignKeyConstraint(
            ["notice_id"], ["notices.id"], name=op.f("fk_notice_mails_notice_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_notice_mails_user_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_notice_mails")),
        sa.UniqueConstraint("notice_id", "user_id", name=op.f("uq_notice_mails_notice_id_user_id")),
    )
    op.create_index(op.f("ix_notice_mails_user_id"), "notice_mails", ["user_id"])
    op.create_index("ix_notice_mails_due", "notice_mails", ["state", "next_at"])
    # What ended before anybody could be told is no news.
    op.execute(
        "INSERT INTO notices (blast_id, kind, occurrence, reason, noted_at) "
        "SELECT id, 'finished', finished_at, '', finished_at FROM blasts "
        "WHERE state = 'sent' AND finished_at IS NOT NULL"
    )


def downgrade() -> None:
    op.drop_table("notice_mails")
    op.drop_table("notices")
    with op.batch_alter_table("users") as table:
        table.drop_column("notices")
