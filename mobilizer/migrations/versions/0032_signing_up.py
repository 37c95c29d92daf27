"""Anybody may sign up for a list that is open; who asked waits for their own confirmation.

Revision ID: 0032
Revises: 0031
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from mobilizer.db import Instant

revision = "0032"
down_revision = "0031"
branch_labels = None
depends_on = None

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.add_column("lists", sa.Column("open", sa.Boolean(), nullable=False, server_default=sa.false()))
    op.create_table(
        "sign_ups",
        sa.Column("id", BIG, nullable=False),
        sa.Column("list_id", BIG, nullable=False),
        sa.Column("address_key", sa.LargeBinary(), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=True),
        sa.Column("language", sa.String(), nullable=False),
        sa.Column("wording", sa.String(), nullable=False),
        sa.Column("wording_language", sa.String(), nullable=False),
        sa.Column("via_id", BIG, nullable=True),
        sa.Column("blast_id", BIG, nullable=True),
        sa.Column("asked_at", Instant(), nullable=False),
        sa.Column("confirmed_at", Instant(), nullable=True),
        sa.Column("member_id", BIG, nullable=True),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("next_at", Instant(), nullable=True),
        *(
            sa.ForeignKeyConstraint([name], [f"{table}.id"], name=op.f(f"fk_sign_ups_{name}"), ondelete=what)
            for name, table, what in (
                ("list_id", "lists", "CASCADE"),
                ("via_id", "members", "SET NULL"),
                ("blast_id", "blasts", "SET NULL"),
                ("member_id", "members", "CASCADE"),
            )
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sign_ups")),
        sqlite_autoincrement=True,
    )
    for name in ("address_key", "asked_at", "member_id", "next_at"):
        op.create_index(op.f(f"ix_sign_ups_{name}"), "sign_ups", [name])
    op.create_table(
        "asked_addresses",
        sa.Column("address_key", sa.LargeBinary(), nullable=False),
        sa.Column("letters", sa.Integer(), nullable=False),
        sa.Column("last_at", Instant(), nullable=False),
        sa.PrimaryKeyConstraint("address_key", name=op.f("pk_asked_addresses")),
    )


def downgrade() -> None:
    op.drop_table("asked_addresses")
    op.drop_table("sign_ups")
    op.drop_column("lists", "open")
