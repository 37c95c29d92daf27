"""Colours that are chosen in the browser, a library of media with words for its pictures, testers of proofs.

Revision ID: 0025
Revises: 0024
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from mobilizer.db import Instant

revision = "0025"
down_revision = "0024"
branch_labels = None
depends_on = None

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "brand_colours",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("button", sa.String(), nullable=False),
        sa.Column("link", sa.String(), nullable=False),
        sa.Column("header", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_brand_colours")),
    )
    op.create_table(
        "media_files",
        sa.Column("id", BIG, autoincrement=True, nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("octets", BIG, nullable=False),
        sa.Column("width", sa.Integer(), nullable=False),
        sa.Column("height", sa.Integer(), nullable=False),
        sa.Column("added_at", Instant(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_media_files")),
        sa.UniqueConstraint("name", name=op.f("uq_media_files_name")),
    )
    op.create_table(
        "media_texts",
        sa.Column("media_id", BIG, nullable=False),
        sa.Column("language", sa.String(), nullable=False),
        sa.Column("text", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(
            ["media_id"], ["media_files.id"], name=op.f("fk_media_texts_media_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("media_id", "language", name=op.f("pk_media_texts")),
    )
    op.create_table(
        "proof_testers",
        sa.Column("id", BIG, autoincrement=True, nullable=False),
        sa.Column("address_key", sa.LargeBinary(), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_proof_testers")),
        sa.UniqueConstraint("address_key", name=op.f("uq_proof_testers_address_key")),
    )


def downgrade() -> None:
    for table in ("proof_testers", "media_texts", "media_files", "brand_colours"):
        op.drop_table(table)
