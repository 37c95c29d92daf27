"""House: whatever a person types, sends or takes along on our pages, nobody is named where nobody should be."""

from __future__ import annotations

import io
import json
import logging
import re
import sys
import time
from dataclasses import dataclass, field, replace

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select
from werkzeug.test import TestResponse

from mobilizer import jobs, logs
from mobilizer.app import create_app
from mobilizer.audience.imports import Import
from mobilizer.audience.members import Member
from mobilizer.audience.queries import member_by_address
from mobilizer.installation import Installation
from mobilizer.jobs import Work
from mobilizer.keys import Purpose, Ticket
from mobilizer.organizers.accounts import create_user
from mobilizer.organizers.policy import Role
from mobilizer.rights import requests
from tests.audience.books import xlsx
from tests.house.canaries import CANARY, NAMED, WORKER, everything, server_of, traces, work
from tests.transport.scripted_relay import ScriptedRelay
from tests.worlds import World

PASSWORD = "a long enough password 71"
ADMIN = f"admin.{CANARY}@example.org"
CSV = f"""\
Email,Name
ana.{CANARY}@example.org,Ana {NAMED}
bo.{CANARY}@{CANARY}.example.org,Bo {NAMED}
erased.{CANARY}@example.org,Cy {NAMED}
broken.{CANARY}@example.org,Di {NAMED}
{CANARY} has no at sign,Ed {NAMED}
gone.{CANARY}@gamil.com,"=HYPERLINK(""{CANARY}"")"
"""
SHEET = {NAMED: [["Email", "Name"], [f"x.{CANARY}@example.org", NAMED], [f"{CANARY}@", NAMED]]}
PASTED = f"Eve {NAMED} <eve.{CANARY}@example.org>\n{NAMED} {CANARY} and nobody\n"
CHOICE = {
    "column-0": "email", "column-1": "name", "default_language": "en", "consent_source": "Petition",
    "consent_date": "2026-03-08", "known": "replace", "go": "1",
}  # fmt: skip


@dataclass
class Visitor:
    """A browser, and an eye on the installation: after each step, where a canary showed."""

    here: Installation
    client: FlaskClient
    found: list[tuple[str, dict[str, list[str]]]] = field(default_factory=list)

    def get(self, path: str, code: int = 200) -> TestResponse:
        answer = self.client.get(path)
        assert answer.status_code == code, (path, answer.status_code)
        return answer

    def post(self, path: str, code: int = 303, /, **fields: object) -> TestResponse:
        token = re.search(r'name="csrf_token" value="([^"]+)"', self.client.get("/settings").text) or re.search(
            r'name="csrf_token" value="([^"]+)"', self.client.get("/sign-in").text
        )
        assert token
        answer = self.client.post(path, data={"csrf_token": token[1], **fields})
        assert answer.status_code == code, (path, answer.status_code, answer.text)
        return answer

    def look(self, after: str) -> None:
        """Note where a canary shows now, that is after a step."""
        if places := everything(self.here):
            self.found.append((after, places))

    def member(self, name: str) -> int:
        """The number of the member with an address of ours."""
        with self.here.database.read() as session:
            number = member_by_address(session, self.here.keyring, f"{name}.{CANARY}@example.org")
        assert number, name
        return number


@pytest.fixture
def logged(monkeypatch: pytest.MonkeyPatch) -> io.StringIO:
    """All that this process logs: no line is too small."""
    heard = io.StringIO()
    monkeypatch.setattr(sys, "stderr", heard)
    monkeypatch.setattr(logging.getLogger(), "handlers", [])
    logs.configure("DEBUG")
    return heard


def refuse(line: str) -> bytes:
    """What relays do: say the address back."""
    address = line.partition("<")[2].partition(">")[0]
    kind = {"no": "550 5.1.1", "later": "450 4.2.0"}.get(address.partition(".")[0], "250 2.1.5")
    return f"{kind} <{address}> of {NAMED}\r\n".encode()


def test_whatever_is_typed_sent_or_taken_along_leaves_no_trace(here: Installation, logged: io.StringIO) -> None:
    since, world = time.time() - 1, World(here)
    world.make_list()
    world.write_appeal()
    with ScriptedRelay({"RCPT": refuse}) as relay:
        here = replace(here, settings=here.settings.model_copy(update={"smtp_port": relay.port}))
        visitor = Visitor(here, create_app(here.settings, here).test_client())
        _sign_in(visitor)
        numbers = [_bring(visitor, kind) for kind in ("file", "sheet", "pasted")]
        visitor.look("uploaded, chosen and started")
        said = work(here, relay.port, WORKER)
        _read_reports(visitor, numbers)
        _look_up(visitor)
        _change(visitor)
        _take_along(visitor)
        _ask(visitor)
        _try_proofs(visitor, world)
        _break(visitor)
        visitor.post(f"/imports/{numbers[1]}/undo")
        said += work(here, relay.port, WORKER)
        visitor.look("undone, answered and failed")
        _erase(visitor)
    assert any(CANARY in line for line in relay.heard)
    assert b"WorkFailed" in said, "no job failed"
    assert "BadSeal" in logged.getvalue(), "no page broke"
    assert "sign-in refused" in logged.getvalue()
    assert visitor.found == []
    assert traces(said + logged.getvalue().encode()) == []
    assert server_of(here, since) == {}


def _sign_in(visitor: Visitor) -> None:
    """Who tries with a wrong address or password is named nowhere either."""
    here = visitor.here
    with here.database.write() as session:
        made = create_user(session, here.keyring, email=ADMIN, name=NAMED, role=Role.ADMIN, password=PASSWORD)
        assert not isinstance(made, list)
    visitor.post("/sign-in", 422, email=f"stranger.{CANARY}@example.org", password=PASSWORD)
    visitor.post("/sign-in", 422, email=ADMIN, password=f"not my {CANARY}")
    visitor.look("refused to sign in")
    visitor.post("/sign-in", email=ADMIN, password=PASSWORD)
    visitor.look("signed in")


def _bring(visitor: Visitor, kind: str, foretold: str = CANARY) -> int:
    """The wizard's steps, for a file, a workbook or what is pasted; the number of the import, which then waits."""
    sent: dict[str, object] = {
        "file": {"file": (io.BytesIO(CSV.encode()), f"{CANARY} {NAMED}.csv")},
        "sheet": {"file": (io.BytesIO(xlsx(SHEET)), f"{NAMED}.xlsx")},
        "pasted": {"pasted": PASTED},
    }[kind]  # type: ignore[assignment]
    location = visitor.post("/lists/everyone/import", **sent).location
    number = int(re.findall(r"\d+", location)[0])
    page = visitor.get(location).text
    position = re.search(r'name="column-(\d)"(?:(?!</select>).)*value="email" selected', page, re.DOTALL)
    other = {"column-0": "name", "column-1": "email"} if position and position[1] == "1" else {}
    visitor.post(f"/imports/{number}/columns", **{**CHOICE, "has_header": "no" if kind == "pasted" else "yes", **other})
    assert foretold in visitor.get(f"/imports/{number}/check").text
    visitor.post(f"/imports/{number}/start")
    return number


def _read_reports(visitor: Visitor, numbers: list[int]) -> None:
    with visitor.here.database.read() as session:
        states = {row.state for row in session.scalars(select(Import))}
    assert states == {"done"}
    for number in numbers:
        assert CANARY in visitor.get(f"/imports/{number}").text
        assert CANARY in visitor.get(f"/imports/{number}/problems.csv").text
    visitor.look("imported, the reports read")


def _look_up(visitor: Visitor) -> None:
    """By address: somebody, nobody, a bad one. By name and by domain."""
    visitor.post("/members/search", email=f"ana.{CANARY}@example.org")
    visitor.post("/members/search", 200, email=f"nobody.{CANARY}@example.org")
    visitor.post("/members/search", 422, email=f"{CANARY} {NAMED}")
    assert f"Ana {NAMED}" in visitor.post("/members/look", 200, asked=NAMED, by="name").text
    assert f"Bo {NAMED}" in visitor.post("/members/look", 200, asked=f"{CANARY}.example.org", by="domain").text
    visitor.post("/members/look", 422, asked=f"{CANARY} {NAMED}", by="domain")
    visitor.look("looked up")


def _change(visitor: Visitor) -> None:
    """The record by hand: a new address and name, one that can't be, and a note."""
    page = f"/members/{visitor.member('ana')}"
    known = {"language": "en", "second_language": "", "country": "", "time_zone": ""}
    visitor.post(f"{page}/edit", email=f"anna.{CANARY}@example.org", name=f"Anna {NAMED}", **known)
    visitor.post(f"{page}/edit", 422, email=f"{CANARY} {NAMED}", name=NAMED, **known)
    visitor.post(f"{page}/notes", note=f"{NAMED} is called {CANARY} at home")
    visitor.post(f"{page}/notes", note=CANARY * 1000)
    assert f"{NAMED} is called {CANARY}" in visitor.get(page).text
    visitor.look("changed")


def _take_along(visitor: Visitor) -> None:
    """All members as a file, refused and given; one member's record."""
    wanted = {"reason": f"For {CANARY}@example.org", "password": PASSWORD}
    visitor.post("/members/export", 422, **wanted)
    file = visitor.post("/members/export", 200, reason="For the printers of the letter", password=PASSWORD).text
    assert file.count(CANARY) >= 6
    record = json.loads(visitor.post(f"/members/{visitor.member('anna')}/record", 200).text)
    assert NAMED in record["name"]
    page = visitor.post(f"/members/{visitor.member('anna')}/record/page", 200, **{"in": "ar"}).text
    assert f"Anna {NAMED}" in page
    visitor.look("taken along")


def _ask(visitor: Visitor) -> None:
    """A member asks for their record: a job, a mail, a page, a file."""
    preferences = _link(visitor, "anna", Purpose.PREFERENCES)
    visitor.get(f"/p/{preferences}")
    assert visitor.client.post(f"/p/{preferences}/record").status_code == 200
    visitor.look("asked for by the member")
    hour = int(time.time()) // 3600
    opened = visitor.here.keyring.token(Purpose.RECORD, Ticket(visitor.member("anna"), hour))
    assert CANARY in visitor.get(f"/r/{opened}").text
    assert CANARY in visitor.get(f"/r/{opened}.json").text


def _link(visitor: Visitor, name: str, purpose: Purpose) -> str:
    return visitor.here.keyring.token(purpose, Ticket(visitor.member(name), 0))


def _try_proofs(visitor: Visitor, world: World) -> None:
    """A relay that takes one, one that doesn't, each saying whom it talks of; and what is no address."""
    path = f"/blasts/{world.blast().slug}/proof"
    for kind, code in (("yes.", 303), ("no.", 303), ("later.", 303), ("not an address ", 422)):
        visitor.post(path, code, address=f"{kind}{CANARY}@example.org", language="en")
    visitor.look("proofs tried")


def _break(visitor: Visitor) -> None:
    """Somebody whose record can't be opened any more: the page breaks, and so does the job that writes to them."""
    number = visitor.member("broken")
    with visitor.here.database.write() as session:
        session.get_one(Member, number).sealed = b"\1" + bytes(60)
        requests.ask(session, number)
    visitor.get(f"/members/{number}", 500)
    visitor.get(f"/members/{CANARY}", 404)
    visitor.post(f"/members/{number}/{CANARY}", 404)
    assert jobs.enqueue(visitor.here, Work.RECORD, number)
    visitor.look("broken")


def _erase(visitor: Visitor) -> None:
    """By an organizer and by the member; then they come again in a file, and are refused."""
    for name in ("erased", "broken"):
        visitor.post(f"/members/{visitor.member(name)}/erase")
    typed = {"email": f"anna.{CANARY}@example.org"}
    gone = visitor.client.post(f"/p/{_link(visitor, 'anna', Purpose.PREFERENCES)}/erase", data=typed)
    assert gone.status_code == 200
    _bring(visitor, "file", "suppressed, left out")
    visitor.look("erased")
