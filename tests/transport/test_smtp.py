"""The SMTP client against a relay that answers well, badly and not at all."""

from __future__ import annotations

import itertools
import socket
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mobilizer.transport.losses import Loss
from mobilizer.transport.outcomes import (
    Accepted,
    Deferred,
    Ready,
    Rejected,
    Stage,
    Trouble,
    Uncertain,
    Unsupported,
    Verdict,
)
from mobilizer.transport.smtp import Connection, Relay, Timeouts
from tests.transport.scripted_relay import DROP, HANG, RESET, Answer, ScriptedRelay

SENDER, RECIPIENT = "b+x@bounce.example.org", "ana@example.org"
MESSAGE = b"Subject: Hello\r\n\r\nLove always wins\r\n"
QUICK = Timeouts(connect=5, command=5, dot=5)
HASTY = Timeouts(connect=5, command=0.15, dot=0.15)
LOCK_STEP = b"250-scripted\r\n250 SIZE 100000\r\n"
GARBAGE = b"SSH-2.0-OpenSSH\r\n"
ENDLESS = b"250-more\r\n" * 300
NO_LINE_END = b"250 " + b"x" * 5000


@contextmanager
def connected(
    answers: dict[str, Answer] | None = None, timeouts: Timeouts = QUICK
) -> Iterator[tuple[Connection, ScriptedRelay]]:
    with ScriptedRelay(answers) as server:
        connection = Connection.open(relay(server), timeouts)
        try:
            yield connection, server
        finally:
            connection.close()


def relay(server: ScriptedRelay) -> Relay:
    return Relay("127.0.0.1", server.port, tls="none", helo="client.example.org", loopback_only=True)


def send(connection: Connection, recipient: str = RECIPIENT, content: bytes = MESSAGE) -> object:
    connection.offer(SENDER, recipient)
    answer = connection.answer()
    if not isinstance(answer, Ready):
        return answer
    connection.hand(content)
    return connection.reply()


@pytest.mark.parametrize("ehlo", [None, LOCK_STEP])
def test_many_messages_go_over_one_connection(ehlo: bytes | None) -> None:
    with connected({"EHLO": ehlo} if ehlo else None) as (connection, server):
        for number in range(5):
            assert send(connection, f"m{number}@example.org") == Accepted("2.0.0 taken as 4711")
            assert connection.usable
    assert server.messages == [MESSAGE] * 5
    assert [line for line in server.heard if line.startswith("RCPT")] == [
        f"RCPT TO:<m{number}@example.org>" for number in range(5)
    ]


def test_a_relay_without_pipelining_is_asked_one_command_at_a_time() -> None:
    heard: list[int] = []

    def mail(_line: str) -> bytes:
        heard.append(len(server.heard))
        return b"250 ok\r\n"

    with connected({"EHLO": LOCK_STEP, "MAIL": mail}) as (connection, server):
        connection.offer(SENDER, RECIPIENT)
        assert isinstance(connection.answer(), Ready)
        connection.abandon()
    assert server.heard[:2] == ["EHLO client.example.org", f"MAIL FROM:<{SENDER}>"]
    assert heard == [2]


def test_a_relay_that_knows_only_helo_is_served() -> None:
    with connected({"EHLO": b"502 5.5.1 what?\r\n"}) as (connection, server):
        assert isinstance(send(connection), Accepted)
    assert server.heard[:2] == ["EHLO client.example.org", "HELO client.example.org"]


# -- each stage, each answer ------------------------------------------------------------------------------

BEFORE = ("BANNER", "EHLO", "MAIL")
ENVELOPE = ("RCPT", "DATA")
BAD = {"421": b"421 4.3.2 closing\r\n", "drop": DROP, "reset": RESET, "garbage": GARBAGE, "hang": HANG}
BAD |= {
    "endless": ENDLESS,
    "no line end": NO_LINE_END,
    "binary": b"\xff\xfe\x00\r\n",
    "two codes": b"250-a\r\n550 b\r\n",
}
REFUSALS = {"4xx": b"450 4.2.0 later\r\n", "5xx": b"550-5.1.1 nobody\r\n550 5.1.1 here\r\n"}


def once(bad: bytes, good: bytes) -> Answer:
    """`bad` the first time, `good` from then on."""
    answers = itertools.chain([bad], itertools.repeat(good))
    return lambda _line: next(answers)


@pytest.mark.parametrize("kind", [*BAD, *REFUSALS])
@pytest.mark.parametrize("stage", BEFORE)
def test_trouble_before_the_recipient_is_nobodys_fault(stage: str, kind: str) -> None:
    with ScriptedRelay({stage: {**BAD, **REFUSALS}[kind], "HELO": DROP}) as server:
        with pytest.raises(Trouble) as trouble:
            send(Connection.open(relay(server), HASTY))
        assert not trouble.value.fatal
    assert server.messages == []


@pytest.mark.parametrize("ehlo", [None, LOCK_STEP])
@pytest.mark.parametrize("kind", BAD)
@pytest.mark.parametrize("stage", ENVELOPE)
def test_a_relay_that_breaks_off_before_the_content_has_nothing(stage: str, kind: str, ehlo: bytes | None) -> None:
    answers: dict[str, Answer] = {stage: BAD[kind], **({"EHLO": ehlo} if ehlo else {})}
    with connected(answers, HASTY) as (connection, server):
        with pytest.raises(Trouble):
            send(connection)
        assert not connection.usable
    assert server.messages == []


@pytest.mark.parametrize("ehlo", [None, LOCK_STEP])
@pytest.mark.parametrize("kind", REFUSALS)
@pytest.mark.parametrize("stage", ENVELOPE)
def test_a_refusal_leaves_the_connection_ready_for_the_next(stage: str, kind: str, ehlo: bytes | None) -> None:
    good = {"RCPT": b"250 ok\r\n", "DATA": b"354 go on\r\n"}[stage]
    answers: dict[str, Answer] = {stage: once(REFUSALS[kind], good), **({"EHLO": ehlo} if ehlo else {})}
    if stage == "RCPT":
        answers["DATA"] = once(b"554 5.5.1 no valid recipients\r\n", b"354 go on\r\n") if not ehlo else good_data
    with connected(answers) as (connection, server):
        refusal = send(connection)
        expected = {
            "4xx": Deferred(450, "4.2.0 later", Stage(stage.lower())),
            "5xx": Rejected(550, "5.1.1 nobody here", Stage(stage.lower())),
        }
        assert refusal == expected[kind]
        assert connection.usable
        assert isinstance(send(connection, "next@example.org"), Accepted)
    assert server.messages == [MESSAGE]
    assert "RSET" in server.heard


good_data = b"354 go on\r\n"


def test_data_accepted_for_a_refused_recipient_sends_nothing() -> None:
    """RFC 2920 3.1: the client must not send the content, nor leave the relay in it."""
    with connected({"RCPT": b"550 5.1.1 nobody\r\n"}) as (connection, server):
        assert isinstance(send(connection), Rejected)
        assert not connection.usable
    assert server.messages == []
    assert server.unfinished == [b""]


@pytest.mark.parametrize("late", [DROP, RESET, GARBAGE, HANG, b"421 closing\r\n"])
@pytest.mark.parametrize("stage", ["DATA", "RSET"])
def test_a_refusal_stands_whatever_becomes_of_the_connection(stage: str, late: bytes) -> None:
    answers: dict[str, Answer] = {"RCPT": b"550 5.1.1 nobody\r\n", "DATA": b"554 no\r\n", stage: late}
    with connected(answers, HASTY) as (connection, _):
        # A reset may overtake the refusal that was sent before it.
        try:
            assert send(connection) == Rejected(550, "5.1.1 nobody", Stage.RCPT)
        except Trouble:
            assert late == RESET
        assert not connection.usable


@pytest.mark.parametrize(
    ("dot", "expected", "usable"),
    [
        (b"250 2.0.0 ok\r\n", Accepted("2.0.0 ok"), True),
        (b"451 4.3.0 later\r\n", Deferred(451, "4.3.0 later", Stage.DOT), True),
        (b"554 5.7.1 spam\r\n", Rejected(554, "5.7.1 spam", Stage.DOT), True),
        (b"421 4.3.2 closing\r\n", Deferred(421, "4.3.2 closing", Stage.DOT), False),
        (b"354 what?\r\n", Uncertain(Loss.ODD, "354 what?"), False),
        (DROP, Uncertain(Loss.HUNG_UP), False),
        (GARBAGE, Uncertain(Loss.NOT_SMTP), False),
        (ENDLESS, Uncertain(Loss.ENDLESS), False),
        (NO_LINE_END, Uncertain(Loss.ENDLESS), False),
        (HANG, Uncertain(Loss.SILENT), False),
    ],
)
def test_the_answer_to_the_content_decides(dot: bytes, expected: object, usable: bool) -> None:
    with connected({"DOT": dot}, HASTY) as (connection, server):
        assert send(connection) == expected
        assert connection.usable is usable
    assert server.messages == [MESSAGE]


def test_a_connection_that_breaks_after_the_dot_is_uncertain() -> None:
    with connected({"DOT": RESET}) as (connection, _):
        assert isinstance(send(connection), Uncertain)


def test_an_abandoned_message_never_ends() -> None:
    with connected() as (connection, server):
        connection.offer(SENDER, RECIPIENT)
        assert isinstance(connection.answer(), Ready)
        connection.abandon()
        assert not connection.usable
    assert server.messages == []
    assert server.unfinished == [b""]


@pytest.mark.parametrize("stray", [b"250 2.0.0 taken\r\n", b"421 closing\r\n"])
def test_a_stray_answer_is_never_taken_for_the_one_to_the_content(stray: bytes) -> None:
    with connected({"DATA": b"354 go on\r\n" + stray}) as (connection, server):
        assert send(connection) == Deferred(0, Loss.NOT_AWAITED, Stage.CONTENT)
        assert not connection.usable
    assert server.messages == []


def test_a_relay_that_stops_reading_has_definitely_not_got_the_message() -> None:
    with connected({"DATA": lambda _line: b"354 go on\r\n"}, HASTY) as (connection, server):
        connection.offer(SENDER, RECIPIENT)
        assert isinstance(connection.answer(), Ready)
        server.answers["DOT"] = b"250 never\r\n"
        connection._wire.socket.shutdown(1)  # as if the network broke: the next write fails
        connection.hand(b"x" * 70 + b"\r\n")
        assert isinstance(outcome := connection.reply(), Deferred)
        assert outcome.stage is Stage.CONTENT
    assert server.messages == []


def test_a_relay_that_hung_up_while_idle_is_noticed_before_the_next_message() -> None:
    with connected({"DOT": b"250 ok\r\n421 idle for too long\r\n"}) as (connection, _):
        assert isinstance(send(connection), Accepted)
        assert not connection.usable


# -- what is said -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "address",
    [
        "a@b.org>\r\nRCPT TO:<c@d.org",
        "a@b.org\r\nDATA",
        "a\n@b.org",
        "a b@c.org",
        "a>@b.org",
        "<a@b.org",
        "a\0@b.org",
        "a\u2028@b.org",
        "a\x85@b.org",
        "no-at-sign",
        "@b.org",
        "a@",
        "x" * 1000 + "@b.org",
        "a\udcff@b.org",
    ],
)
def test_no_address_can_break_out_of_its_command(address: str) -> None:
    with connected() as (connection, server):
        assert isinstance(send(connection, address), Unsupported)
        with pytest.raises(ValueError):
            connection.offer(address, RECIPIENT)
        assert connection.usable
        assert isinstance(send(connection), Accepted)
    assert [line[:4] for line in server.heard if line != "QUIT"] == ["EHLO", "MAIL", "RCPT", "DATA"]


@given(st.text(max_size=60))
@settings(max_examples=200)
def test_an_address_is_one_command_or_refused(text: str) -> None:
    from mobilizer.transport.paths import NotSendable, path

    try:
        said = path(text)
    except (ValueError, NotSendable):
        return
    assert not set("\r\n<> \0") & set(said)
    assert len(f"RCPT TO:<{said}>\r\n".splitlines()) == 1
    assert said == "" or said.rpartition("@")[2].isascii()


def test_a_domain_in_any_script_travels_as_ascii() -> None:
    with connected() as (connection, server):
        assert isinstance(send(connection, "ana@пример.рф"), Accepted)
        assert isinstance(send(connection, "ana@BÜCHER.example"), Accepted)
    assert "RCPT TO:<ana@xn--e1afmkfd.xn--p1ai>" in server.heard
    assert "RCPT TO:<ana@xn--bcher-kva.example>" in server.heard


def test_a_local_part_in_another_script_needs_a_relay_that_can() -> None:
    with connected() as (connection, server):
        assert isinstance(send(connection, "анна@пример.рф"), Unsupported)
        assert connection.usable
        assert isinstance(send(connection), Accepted)
    assert len(server.messages) == 1
    ehlo = b"250-x\r\n250-PIPELINING\r\n250-8BITMIME\r\n250 SMTPUTF8\r\n"
    with connected({"EHLO": ehlo}) as (connection, server):
        assert isinstance(send(connection, "анна@пример.рф"), Accepted)
    assert f"MAIL FROM:<{SENDER}> BODY=8BITMIME SMTPUTF8" in server.heard
    assert "RCPT TO:<анна@xn--e1afmkfd.xn--p1ai>" in server.heard


def test_nobody_is_not_a_recipient() -> None:
    with connected() as (connection, _):
        assert isinstance(send(connection, ""), Unsupported)
        connection.offer("", RECIPIENT)  # the null return path, though, is one (RFC 5321 4.5.5)
        assert isinstance(connection.answer(), Ready)


def test_a_domain_without_ascii_form_is_unsupported() -> None:
    with connected() as (connection, _):
        assert isinstance(send(connection, "ana@\u0640.org"), Unsupported)


def test_a_message_larger_than_the_relay_takes_is_not_offered() -> None:
    with connected() as (connection, server):
        connection.offer(SENDER, RECIPIENT, size=100_001)
        assert isinstance(refusal := connection.answer(), Rejected)
        assert refusal.verdict.value == "policy"
        connection.offer(SENDER, RECIPIENT, size=1000)
        assert isinstance(connection.answer(), Ready)
        connection.abandon()
    assert [line for line in server.heard if line.startswith("MAIL")] == [f"MAIL FROM:<{SENDER}> SIZE=1000"]


@pytest.mark.parametrize("lock_step", [False, True])
@pytest.mark.parametrize(
    "said", [b"552 5.3.4 too big\r\n", b"554 5.2.3 too long\r\n", b"552 it exceeds the maximum\r\n"]
)
def test_a_size_that_is_refused_with_the_sender_is_the_messages_own_fault(said: bytes, lock_step: bool) -> None:
    """RFC 1870 6.1: a relay that named no number with SIZE says so at MAIL only."""
    no = b"503 5.5.1 no sender\r\n"
    answers: dict[str, Answer] = {"MAIL": once(said, b"250 ok\r\n")}
    answers["EHLO"] = b"250-scripted\r\n250 SIZE\r\n"
    if not lock_step:
        answers["EHLO"] = b"250-scripted\r\n250-PIPELINING\r\n250 SIZE\r\n"
        answers |= {"RCPT": once(no, b"250 ok\r\n"), "DATA": once(no, b"354 go on\r\n")}
    with connected(answers) as (connection, server):
        refusal = send(connection)
        assert isinstance(refusal, Rejected)
        assert (refusal.stage, refusal.verdict) == (Stage.MAIL, Verdict.POLICY)
        assert connection.usable
        assert isinstance(send(connection, "next@example.org"), Accepted)
    assert server.messages == [MESSAGE]


@pytest.mark.parametrize("content", [b"a\nb\r\n", b"a\rb\r\n", b"a\r\n.\n\r\n", b"\r\r\n", b"\n.\r\n"])
def test_a_bare_line_break_never_leaves(content: bytes) -> None:
    with connected() as (connection, server):
        connection.offer(SENDER, RECIPIENT)
        connection.answer()
        connection.hand(content)
        assert isinstance(refusal := connection.reply(), Rejected)
        assert (refusal.stage, refusal.verdict) == (Stage.CONTENT, Verdict.POLICY)
        assert not connection.usable
    assert server.messages == []


@settings(max_examples=30, suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(st.lists(st.lists(st.sampled_from([b".", b"..", b"a", b"From", b" ", "é".encode()])).map(b"".join)))
def test_any_lines_arrive_as_they_were(lines: list[bytes]) -> None:
    content = b"".join(line + b"\r\n" for line in lines)
    with connected() as (connection, server):
        assert isinstance(send(connection, content=content), Accepted)
    assert server.messages == [content]


def test_a_last_line_without_its_end_gets_one() -> None:
    with connected() as (connection, server):
        assert isinstance(send(connection, content=b"Subject: x\r\n\r\n.end"), Accepted)
        assert isinstance(send(connection, content=b""), Accepted)
    assert server.messages == [b"Subject: x\r\n\r\n.end\r\n", b""]


def test_a_reply_keeps_no_address_and_no_control_character() -> None:
    reply = b"550-5.1.1 <ana@example.org>:\x1b[31m Ana@Example.org is\r\n550 5.1.1 unknown (ana@example.org)\r\n"
    with connected({"RCPT": reply, "DATA": b"503 no\r\n"}) as (connection, _):
        assert isinstance(refusal := send(connection), Rejected)
    assert refusal.reply == "5.1.1 <address>: [31m <address> is unknown (<address>)"


def test_steps_out_of_order_are_a_bug_of_ours() -> None:
    with connected() as (connection, _):
        for step in (connection.answer, lambda: connection.hand(MESSAGE), connection.reply):
            with pytest.raises(RuntimeError):
                step()
        connection.offer(SENDER, RECIPIENT)
        with pytest.raises(RuntimeError):
            connection.offer(SENDER, RECIPIENT)


# -- any sequence at all ----------------------------------------------------------------------------------

ANSWERS = st.sampled_from(
    [b"250 ok\r\n", b"450 4.2.0 no\r\n", b"550 5.1.1 no\r\n", b"421 bye\r\n", b"354 go\r\n", DROP, GARBAGE]
)


@settings(max_examples=150, suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(st.lists(st.tuples(ANSWERS, ANSWERS, ANSWERS, ANSWERS), min_size=1, max_size=4), st.booleans())
def test_what_is_called_accepted_arrived_and_what_is_called_refused_did_not(
    rounds: list[tuple[bytes, ...]], pipelining: bool
) -> None:
    """The promise in one property: however the relay answers, our word about a message is true."""
    turn = 0
    spoken = ("MAIL", "RCPT", "DATA", "DOT")

    def answer(stage: int) -> Answer:
        return lambda _line: rounds[turn][stage] if rounds[turn][stage] != b"250 ok\r\n" or stage != 2 else good_data

    answers: dict[str, Answer] = {name: answer(stage) for stage, name in enumerate(spoken)}
    with connected(answers | ({} if pipelining else {"EHLO": LOCK_STEP})) as (connection, server):
        said: dict[bytes, object] = {}
        for turn in range(len(rounds)):
            if not connection.usable:
                break
            content = b"%d\r\n" % turn
            try:
                said[content] = send(connection, content=content)
            except Trouble as trouble:
                said[content] = trouble
    for content, outcome in said.items():
        assert server.messages.count(content) <= 1
        if isinstance(outcome, Accepted):
            assert content in server.messages
        elif not isinstance(outcome, Uncertain) and getattr(outcome, "stage", None) is not Stage.DOT:
            assert content not in server.messages


# -- getting there ----------------------------------------------------------------------------------------


def test_nobody_listening_is_trouble(free_port: int) -> None:
    with pytest.raises(Trouble) as trouble:
        Connection.open(Relay("127.0.0.1", free_port, tls="none"), QUICK)
    assert not trouble.value.fatal


@pytest.mark.parametrize("host", ["192.0.2.1", "10.0.0.1", "0.0.0.0", "::ffff:192.0.2.1", "2001:db8::1"])  # noqa: S104
def test_a_demo_never_leaves_this_machine(host: str) -> None:
    with pytest.raises(Trouble) as trouble:
        Connection.open(Relay(host, 25, tls="none", loopback_only=True), QUICK)
    assert trouble.value.fatal
    assert "not this machine" in trouble.value.reason


def test_a_name_that_also_leads_elsewhere_is_not_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    here, away = ((socket.AF_INET, socket.SOCK_STREAM, 6, "", (ip, 25)) for ip in ("127.0.0.1", "192.0.2.1"))
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: [here, away])
    with pytest.raises(Trouble) as trouble:
        Connection.open(Relay("both.example.org", 25, tls="none", loopback_only=True), QUICK)
    assert trouble.value.fatal


@pytest.mark.parametrize("helo", ["a\r\nMAIL FROM:<x@y.z>", "a b", "é.org", "x" * 300])
def test_our_name_can_not_break_out_of_its_command(helo: str) -> None:
    with pytest.raises(ValueError):
        Relay("127.0.0.1", 25, helo=helo)
