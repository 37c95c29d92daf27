"""Custody: every place where something lies sealed. A new one has its line here, or a test says so."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, func, inspect, literal
from sqlalchemy.orm import InstrumentedAttribute

from mobilizer.audience.imports import Import, header_binding, name_binding
from mobilizer.audience.leaving_reasons import LeavingReason, words_binding
from mobilizer.audience.members import Member
from mobilizer.audience.merged import MergedMember
from mobilizer.audience.notes import MemberNote, note_binding
from mobilizer.audience.rehearsing import ImportRehearsal, rehearsal_binding
from mobilizer.audience.reporting import ReportedRow, report_binding
from mobilizer.audience.sign_ups import SignUp
from mobilizer.audience.traces import ImportTrace, change_binding
from mobilizer.delivery.testers import ProofTester
from mobilizer.organizers.factors import secret_binding
from mobilizer.organizers.invitations import Invitation
from mobilizer.organizers.users import User


@dataclass(frozen=True, slots=True)
class SealedColumn:
    """A column of sealed values: `binding` makes what a value is bound to of the row's columns in `bound_by`."""

    column: InstrumentedAttribute[Any]
    bound_by: tuple[InstrumentedAttribute[Any], ...]
    binding: Callable[..., bytes]

    @property
    def name(self) -> str:
        """'members.sealed'."""
        return f"{self.column.class_.__tablename__}.{self.column.key}"

    @property
    def key(self) -> tuple[ColumnElement[Any], ...]:
        """The columns that number a row."""
        return tuple(inspect(self.column.class_).primary_key)

    def under(self, key_id: int) -> ColumnElement[bool]:
        """Whether a value is sealed with this key: its first byte says so."""
        first: ColumnElement[Any] = func.substr(self.column, 1, 1)
        return first == literal(bytes([key_id]), self.column.type)


SEALED = (
    SealedColumn(Member.sealed, (Member.address_key,), bytes),
    SealedColumn(MergedMember.sealed, (MergedMember.address_key,), bytes),
    SealedColumn(User.sealed, (User.address_key,), bytes),
    SealedColumn(User.totp, (User.id,), secret_binding),
    SealedColumn(Invitation.sealed, (Invitation.address_key,), bytes),
    SealedColumn(Import.sealed_name, (Import.id,), name_binding),
    SealedColumn(Import.sealed_header, (Import.id,), header_binding),
    SealedColumn(ImportRehearsal.sealed, (ImportRehearsal.import_id,), rehearsal_binding),
    SealedColumn(ReportedRow.sealed, (ReportedRow.import_id, ReportedRow.number), report_binding),
    SealedColumn(ImportTrace.changed, (ImportTrace.import_id, ImportTrace.member_id), change_binding),
    SealedColumn(ProofTester.sealed, (ProofTester.address_key,), bytes),
    SealedColumn(SignUp.sealed, (SignUp.address_key,), bytes),
    SealedColumn(MemberNote.sealed, (MemberNote.member_id,), note_binding),
    SealedColumn(LeavingReason.sealed, (LeavingReason.member_id,), words_binding),
)
