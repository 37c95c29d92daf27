"""How an answer was lost is kept as a code, with what was said about it beside: it was a sentence in English.

Revision ID: 0016
Revises: 0015
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None

# The sentences of before, and what of them is kept. The end of the last two was what the system or the relay said.
WHOLE = {
    "the relay hung up": "hung_up",
    "the relay did not answer in time": "silent",
    "the relay's answer is not SMTP": "not_smtp",
    "the relay's answer has no end": "endless",
    "the relay's answer has a line without end": "endless",
    "the relay spoke without being asked": "unasked",
    "the relay stopped taking our bytes": "stuck",
    "the connection is closed": "broke",
    "the connection broke": "broke",
}
BEGUN = {"the connection broke: ": "broke", "the relay answered ": "odd"}

DELIVERIES = sa.table("deliveries", *(sa.column(name, sa.String()) for name in ("state", "reason", "reply")))
# In the words of the index of rows that were not sent, or every row would be looked at.
UNCERTAIN = sa.and_(
    sa.text("(state = 'rejected' OR state = 'skipped' OR state = 'uncertain')"), DELIVERIES.c.state == "uncertain"
)


def upgrade() -> None:
    reason = DELIVERIES.c.reason
    for sentence, code in WHOLE.items():
        op.execute(sa.update(DELIVERIES).where(UNCERTAIN, reason == sentence).values(reason=code))
    for beginning, code in BEGUN.items():
        said = sa.func.substr(reason, len(beginning) + 1)
        rows = sa.and_(UNCERTAIN, sa.func.substr(reason, 1, len(beginning)) == beginning)
        op.execute(sa.update(DELIVERIES).where(rows).values(reason=code, reply=said))


def downgrade() -> None:
    for beginning, code in BEGUN.items():
        rows = sa.and_(UNCERTAIN, DELIVERIES.c.reason == code, DELIVERIES.c.reply != "")
        op.execute(sa.update(DELIVERIES).where(rows).values(reason=beginning + DELIVERIES.c.reply, reply=""))
    for sentence, code in WHOLE.items():
        op.execute(sa.update(DELIVERIES).where(UNCERTAIN, DELIVERIES.c.reason == code).values(reason=sentence))
