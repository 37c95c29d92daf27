"""A sender as one writes it on the first evening, for comparison: same words, same people, same ledger, same sink.

Per message: Jinja2 renders, premailer inlines, EmailMessage builds, dkimpy signs (with `--sign rsa`), smtplib sends on
one open connection, and the ORM commits the row, on SQLite with synchronous=FULL.

    .venv/bin/python bench/naive.py --messages 500 --sign none
"""

from __future__ import annotations

import argparse
import json
import smtplib
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from typing import Any

import dkim
from jinja2 import Environment, FileSystemLoader, StrictUndefined, Template, select_autoescape
from markupsafe import Markup, escape
from sqlalchemy import select
from sqlalchemy.orm import Session

from mobilizer import tables
from mobilizer.appeals.appeals import Appeal
from mobilizer.appeals.copy import to_copy
from mobilizer.audience.members import Member
from mobilizer.bench import machine
from mobilizer.bench.grounds import ground
from mobilizer.bench.plan import Plan
from mobilizer.bench.processes import child, last_words, own_sink
from mobilizer.blasts.blasts import Blast
from mobilizer.blasts.renditions import frame_of, link_targets, tokens_for
from mobilizer.catalogs import phrases
from mobilizer.delivery.ledger import Delivery, DeliveryState
from mobilizer.installation import Installation, install
from mobilizer.keys import Ticket
from mobilizer.message.compile import inlined, templates_folder
from mobilizer.message.content import Frame, Tokens
from mobilizer.message.context import context
from mobilizer.message.marks import Marks

PURPOSES = ("open", "click", "unsubscribe", "preferences", "view")


@dataclass
class Wording:
    """What a language's mails have in common. Rendered anew for each member all the same."""

    frame: Frame
    html: Template
    text: Template
    subject: str
    in_html: dict[str, Any]
    in_text: dict[str, Any]
    marks: dict[str, str]


class Naive:
    """One connection, one session, one message after the other."""

    def __init__(self, installation: Installation, session: Session, signed: bool) -> None:
        self.installation, self.session = installation, session
        self.blast = session.scalars(select(Blast)).one()
        appeal = session.get_one(Appeal, self.blast.appeal_id)
        self.wordings = {one.language: self._wording(appeal, one) for one in appeal.translations}
        settings = installation.settings
        self.smtp = smtplib.SMTP(settings.smtp_host, settings.smtp_port)
        self.key = (settings.home / "dkim" / settings.sender_domain / "bench.pem").read_bytes() if signed else None

    def _wording(self, appeal: Appeal, translation: Any) -> Wording:
        copy, frame = to_copy(translation), frame_of(self.installation.settings, appeal, translation, self.blast.slug)
        environment = Environment(
            loader=FileSystemLoader(templates_folder()),
            autoescape=select_autoescape(("html",), default=False),
            undefined=StrictUndefined,
            extensions=["jinja2.ext.i18n"],
            trim_blocks=True,
            lstrip_blocks=True,
        )
        environment.install_gettext_translations(phrases("member", copy.language), newstyle=True)  # type: ignore[attr-defined]
        marks, links = Marks("ab", {"organisation": frame.organisation}), link_targets(appeal)
        in_html, in_text = (context(copy, frame, links, marks, form) for form in ("html", "plain"))
        return Wording(
            frame,
            environment.get_template(f"{frame.template}/body.html"),
            environment.get_template(f"{frame.template}/body.txt"),
            copy.subject,
            in_html,
            in_text,
            {f"mzabq{n}z": slot.field for n, slot in enumerate(marks._slots)},
        )

    def send(self, delivery: Delivery) -> None:
        """Everything for one member."""
        member = self.session.get_one(Member, delivery.member_id)
        identity = member.identity(self.installation.keyring)
        tokens = tokens_for(self.installation.keyring, Ticket(member.id, self.blast.id))
        message = self._message(self.wordings[delivery.language], member, identity.email, identity.name, tokens)
        raw = message.as_bytes()
        if self.key:
            domain = self.installation.settings.sender_domain.encode()
            raw = dkim.sign(raw, b"bench", domain, self.key, canonicalize=(b"relaxed", b"relaxed")) + raw
        refused = self.smtp.sendmail(f"b+{tokens.bounce}@bounce.example.org", [identity.email], raw)
        delivery.state = DeliveryState.REJECTED if refused else DeliveryState.ACCEPTED
        delivery.settled_at = datetime.now(UTC)
        self.session.commit()

    def _message(self, wording: Wording, member: Member, address: str, name: str, tokens: Tokens) -> EmailMessage:
        values = {
            **{purpose: getattr(tokens, purpose) for purpose in PURPOSES},
            "greeting": f"{name.partition(' ')[0]},",
            "share_code": member.share_code,
            "list": "Everyone",
            "joined_on": str(member.created_at.date()),
        }
        told = {mark: values.get(field, "") for mark, field in wording.marks.items()}
        html = inlined(wording.html.render(_filled(wording.in_html, {m: str(escape(v)) for m, v in told.items()})))
        message = EmailMessage(policy=SMTP)
        message["From"] = f"{wording.frame.sender_name} <{wording.frame.sender_address}>"
        message["To"] = address
        message["Subject"] = wording.subject
        message["Date"] = format_datetime(datetime.now(UTC))
        message["Message-ID"] = f"<{tokens.message}@bounce.example.org>"
        message["List-Unsubscribe"] = f"<{wording.frame.base_url}/u/{tokens.unsubscribe}>"
        message["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
        message.set_content(wording.text.render(_filled(wording.in_text, told)))
        message.add_alternative(html, subtype="html")
        return message


def _filled(names: dict[str, Any], told: dict[str, str]) -> dict[str, Any]:
    """The names that a template may use, with one member's values in them."""

    def fill(value: Any) -> Any:
        if isinstance(value, str):
            text = str(value)
            for mark, said in told.items():
                text = text.replace(mark, said)
            return Markup(text) if isinstance(value, Markup) else text  # noqa: S704 - escaped before
        if hasattr(value, "watch"):
            return type(value)(*(fill(getattr(value, field)) for field in type(value).__slots__))
        if isinstance(value, list):
            return [type(one)(one.language, fill(one.url)) for one in value]
        return value

    return {name: fill(value) for name, value in names.items()}


def main() -> None:
    """The command."""
    asked = argparse.ArgumentParser(description=__doc__.partition("\n")[0] if __doc__ else "")
    asked.add_argument("--messages", type=int, default=500)
    asked.add_argument("--sign", choices=["none", "rsa"], default="none")
    given = asked.parse_args()
    tables.complete()
    cores = machine.cores()
    plan = Plan(messages=given.messages, sign=given.sign)
    with own_sink(cores=cores[1:]) as sink, ground("") as where:
        environment = where.environment(sink.port, 1)
        with child("mobilizer.bench.seeding", plan.dumps(), environment=environment) as seeded:
            last_words(seeded)
        installation = install(where.settings(sink.port, 1))
        if len(cores) > 1:
            machine.pin(0, cores[0])
        with Session(installation.database.engine) as session:
            naive = Naive(installation, session, given.sign == "rsa")
            began, cpu = time.monotonic(), machine.cpu_seconds()
            for delivery in session.scalars(select(Delivery).order_by(Delivery.id)).all():
                naive.send(delivery)
            seconds, cpu = time.monotonic() - began, machine.cpu_seconds() - cpu
            naive.smtp.quit()
        installation.database.close()
        taken = sink.taken().messages
    if taken != given.messages:
        raise SystemExit(f"The sink took {taken} of {given.messages} messages.")
    each = cpu / taken * 1e6
    figures = {"messages": taken, "per_second": round(taken / seconds, 1), "cpu_us_per_message": round(each)}
    print(json.dumps(figures))  # noqa: T201


if __name__ == "__main__":
    main()
