"""The audit log is a chain that is only added to; a browser can be told from another; second factors; invitations.

Every browser is signed out once: the rows of before do not say when a person last proved who they are.

Revision ID: 0029
Revises: 0028
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from mobilizer.db import Instant
from mobilizer.organizers.chain import EMPTY, digest

revision = "0029"
down_revision = "0028"
branch_labels = None
depends_on = None

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
AUDIT = sa.table(
    "audit",
    sa.column("id", BIG),
    sa.column("at", Instant()),
    sa.column("user_id", BIG),
    sa.column("action", sa.String()),
    sa.column("subject", sa.String()),
    sa.column("detail", sa.JSON()),
    sa.column("hash", sa.LargeBinary()),
)
HEAD = sa.table(
    "audit_head", sa.column("id", sa.Integer()), sa.column("entry_id", BIG), sa.column("hash", sa.LargeBinary())
)
KEPT = "the audit log is only added to"
SQLITE_KEEPS = tuple(
    f"CREATE TRIGGER audit_refuses_{verb.lower()} BEFORE {verb} ON audit BEGIN SELECT RAISE(ABORT, '{KEPT}'); END"
    for verb in ("UPDATE", "DELETE")
)
POSTGRESQL_KEEPS = (
    f"CREATE FUNCTION audit_is_kept() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE '{KEPT}'; END $$",
    "CREATE TRIGGER audit_refuses_changes BEFORE UPDATE OR DELETE ON audit "
    "FOR EACH ROW EXECUTE FUNCTION audit_is_kept()",
    "CREATE TRIGGER audit_refuses_truncate BEFORE TRUNCATE ON audit "
    "FOR EACH STATEMENT EXECUTE FUNCTION audit_is_kept()",
)


def upgrade() -> None:
    _chain()
    for statement in SQLITE_KEEPS if op.get_bind().dialect.name == "sqlite" else POSTGRESQL_KEEPS:
        op.execute(statement)
    op.drop_table("user_sessions")
    _user_sessions(
        sa.Column("proved_at", Instant(), nullable=False),
        sa.Column("half", sa.Boolean(), nullable=False),
        sa.Column("browser", sa.String(), nullable=False),
    )
    op.add_column("users", sa.Column("totp", sa.LargeBinary(), nullable=True))
    op.add_column("users", sa.Column("totp_step", BIG, nullable=True))
    op.create_table(
        "recovery_codes",
        sa.Column("hash", sa.LargeBinary(), nullable=False),
        sa.Column("user_id", BIG, nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_recovery_codes_user_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("hash", name=op.f("pk_recovery_codes")),
    )
    op.create_index(op.f("ix_recovery_codes_user_id"), "recovery_codes", ["user_id"])
    op.create_table(
        "factor_rules",
        sa.Column("role", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("role", name=op.f("pk_factor_rules")),
    )
    op.create_table(
        "invitations",
        sa.Column("id", BIG, autoincrement=True, nullable=False),
        sa.Column("token_hash", sa.LargeBinary(), nullable=False),
        sa.Column("address_key", sa.LargeBinary(), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.Column("role", sa.String(), nullable=False),
        sa.Column("languages", sa.String(), nullable=False),
        sa.Column("interface_language", sa.String(), nullable=False),
        sa.Column("invited_by_id", BIG, nullable=True),
        sa.Column("created_at", Instant(), nullable=False),
        sa.Column("expires_at", Instant(), nullable=False),
        sa.ForeignKeyConstraint(
            ["invited_by_id"], ["users.id"], name=op.f("fk_invitations_invited_by_id"), ondelete="SET NULL"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_invitations")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_invitations_token_hash")),
        sa.UniqueConstraint("address_key", name=op.f("uq_invitations_address_key")),
    )


def _chain() -> None:
    """Give every entry its hash, and say which is the last."""
    with op.batch_alter_table("audit") as table:
        table.add_column(sa.Column("hash", sa.LargeBinary(), nullable=True))
        # Nobody who did something is ever deleted: an entry that then changed would break the chain.
        table.drop_constraint("fk_audit_user_id", type_="foreignkey")
        table.create_foreign_key("fk_audit_user_id", "users", ["user_id"], ["id"])
    bind, number, last = op.get_bind(), 0, EMPTY
    for number, *said in bind.execute(sa.select(*AUDIT.c[:6]).order_by(AUDIT.c.id)).all():
        last = digest(last, number, *said)
        bind.execute(sa.update(AUDIT).where(AUDIT.c.id == number).values(hash=last))
    with op.batch_alter_table("audit") as table:
        table.alter_column("hash", existing_type=sa.LargeBinary(), nullable=False)
    op.create_table(
        "audit_head",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("entry_id", BIG, nullable=False),
        sa.Column("hash", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit_head")),
    )
    bind.execute(sa.insert(HEAD).values(id=1, entry_id=number, hash=last))


def _user_sessions(*further: sa.Column[object]) -> None:
    op.create_table(
        "user_sessions",
        sa.Column("token_hash", sa.LargeBinary(), nullable=False),
        sa.Column("user_id", BIG, nullable=False),
        sa.Column("created_at", Instant(), nullable=False),
        sa.Column("expires_at", Instant(), nullable=False),
        *further,
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_user_sessions_user_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("token_hash", name=op.f("pk_user_sessions")),
    )
    op.create_index(op.f("ix_user_sessions_user_id"), "user_sessions", ["user_id"])


def downgrade() -> None:
    for name in ("invitations", "factor_rules", "recovery_codes", "user_sessions", "audit_head"):
        op.drop_table(name)
    _user_sessions()
    with op.batch_alter_table("users") as table:
        table.drop_column("totp_step")
        table.drop_column("totp")
    if op.get_bind().dialect.name == "sqlite":
        op.execute("DROP TRIGGER audit_refuses_update")
        op.execute("DROP TRIGGER audit_refuses_delete")
    else:
        op.execute("DROP FUNCTION audit_is_kept CASCADE")
    with op.batch_alter_table("audit") as table:
        table.drop_column("hash")
        table.drop_constraint("fk_audit_user_id", type_="foreignkey")
        table.create_foreign_key("fk_audit_user_id", "users", ["user_id"], ["id"], ondelete="SET NULL")
