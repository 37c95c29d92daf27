"""Members have notes; a consent knows the language of its words; the audit log is asked by subject.

Revision ID: 0019
Revises: 0018
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from mobilizer.db import Instant

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "member_notes",
        sa.Column("id", BIG, autoincrement=True, nullable=False),
        sa.Column("member_id", BIG, nullable=False),
        sa.Column("author_id", BIG, nullable=True),
        sa.Column("at", Instant(), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["author_id"], ["users.id"], name=op.f("fk_member_notes_author_id"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(
            ["member_id"], ["members.id"], name=op.f("fk_member_notes_member_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_member_notes")),
    )
    op.create_index(op.f("ix_member_notes_member_id"), "member_notes", ["member_id"])
    op.create_index(op.f("ix_audit_subject"), "audit", ["subject"])
    op.add_column("subscriptions", sa.Column("wording_language", sa.String(), nullable=False, server_default=""))


def downgrade() -> None:
    op.drop_column("subscriptions", "wording_language")
    op.drop_index(op.f("ix_audit_subject"), "audit")
    op.drop_table("member_notes")
