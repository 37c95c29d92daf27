"""Every version of an appeal's words is kept, a translation knows what it was made from and who approved it; comments
and a glossary stand beside it.

Revision ID: 0024
Revises: 0023
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from mobilizer.db import Instant

revision = "0024"
down_revision = "0023"
branch_labels = None
depends_on = None

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    with op.batch_alter_table("translations") as table:
        table.add_column(sa.Column("outdated_from", sa.JSON(), nullable=False, server_default="{}"))
        table.add_column(sa.Column("approved_hash", sa.String(), nullable=False, server_default=""))
        table.add_column(sa.Column("approved_by_id", BIG, nullable=True))
        table.add_column(sa.Column("approved_at", Instant(), nullable=True))
        table.create_foreign_key(
            op.f("fk_translations_approved_by_id"), "users", ["approved_by_id"], ["id"], ondelete="SET NULL"
        )
    op.create_table(
        "versions",
        sa.Column("id", BIG, autoincrement=True, nullable=False),
        sa.Column("appeal_id", BIG, nullable=False),
        sa.Column("language", sa.String(), nullable=False),
        sa.Column("field", sa.String(), nullable=False),
        sa.Column("words", sa.String(), nullable=False),
        sa.Column("content_hash", sa.String(), nullable=False),
        sa.Column("by_id", BIG, nullable=True),
        sa.Column("how", sa.String(), nullable=False),
        sa.Column("began_at", Instant(), nullable=False),
        sa.Column("changed_at", Instant(), nullable=False),
        sa.ForeignKeyConstraint(["appeal_id"], ["appeals.id"], name=op.f("fk_versions_appeal_id"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["by_id"], ["users.id"], name=op.f("fk_versions_by_id"), ondelete="SET NULL"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_versions")),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_versions_field", "versions", ["appeal_id", "language", "field", "id"])
    op.create_table(
        "comments",
        sa.Column("id", BIG, autoincrement=True, nullable=False),
        sa.Column("appeal_id", BIG, nullable=False),
        sa.Column("language", sa.String(), nullable=False),
        sa.Column("field", sa.String(), nullable=False),
        sa.Column("words", sa.String(), nullable=False),
        sa.Column("by_id", BIG, nullable=True),
        sa.Column("created_at", Instant(), nullable=False),
        sa.Column("resolved_at", Instant(), nullable=True),
        sa.Column("resolved_by_id", BIG, nullable=True),
        sa.ForeignKeyConstraint(["appeal_id"], ["appeals.id"], name=op.f("fk_comments_appeal_id"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["by_id"], ["users.id"], name=op.f("fk_comments_by_id"), ondelete="SET NULL"),
        sa.ForeignKeyConstraint(
            ["resolved_by_id"], ["users.id"], name=op.f("fk_comments_resolved_by_id"), ondelete="SET NULL"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_comments")),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_comments_language", "comments", ["appeal_id", "language", "id"])
    op.create_table(
        "terms",
        sa.Column("id", BIG, autoincrement=True, nullable=False),
        sa.Column("language", sa.String(), nullable=False),
        sa.Column("words", sa.String(), nullable=False),
        sa.Column("note", sa.String(), nullable=False),
        sa.Column("kept", sa.Boolean(), nullable=False),
        sa.Column("translations", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_terms")),
        sqlite_autoincrement=True,
    )


def downgrade() -> None:
    op.drop_table("terms")
    op.drop_table("comments")
    op.drop_table("versions")
    with op.batch_alter_table("translations") as table:
        table.drop_constraint(op.f("fk_translations_approved_by_id"), type_="foreignkey")
        for name in ("approved_at", "approved_by_id", "approved_hash", "outdated_from"):
            table.drop_column(name)
