"""Never less protection than was asked for: STARTTLS, TLS from the first byte, sign-in."""

from __future__ import annotations

import base64
import ssl
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from mobilizer.transport import greeting
from mobilizer.transport.outcomes import Accepted, Ready, Trouble
from mobilizer.transport.relay import is_loopback
from mobilizer.transport.smtp import Connection, Relay, Timeouts
from tests.transport.scripted_relay import DROP, HANG, Answer, ScriptedRelay

QUICK = Timeouts(connect=2, command=2, dot=2)
MESSAGE = b"Subject: Hello\r\n\r\n" + b"Love always wins\r\n" * 5000
IN_CLEAR = b"250-x\r\n250-PIPELINING\r\n250-STARTTLS\r\n250 AUTH PLAIN\r\n"
PROTECTED = b"250-x\r\n250-PIPELINING\r\n250 AUTH=LOGIN PLAIN\r\n"


def make_certificate(path: Path, *, address: str = "127.0.0.1", days: int = 1) -> Path:
    """A self-signed certificate and its key in one file."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "relay")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(days=2))
        .not_valid_after(now + timedelta(days=days))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address(address))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    encoding, plain = serialization.Encoding.PEM, serialization.NoEncryption()
    secret = key.private_bytes(encoding, serialization.PrivateFormat.PKCS8, plain)
    path.write_bytes(certificate.public_bytes(encoding) + secret)
    return path


@pytest.fixture(scope="session")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("certificates")
    return {
        "good": make_certificate(folder / "good.pem"),
        "stranger": make_certificate(folder / "stranger.pem"),
        "another host": make_certificate(folder / "another.pem", address="192.0.2.7"),
        "expired": make_certificate(folder / "expired.pem", days=-1),
    }


@pytest.fixture
def trusted(certificates: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """This machine trusts all of them but the stranger."""
    bundle = tmp_path / "trusted.pem"
    bundle.write_bytes(b"".join(certificates[name].read_bytes() for name in ("good", "another host", "expired")))
    monkeypatch.setenv("SSL_CERT_FILE", str(bundle))


@contextmanager
def relay_with(certificate: Path, answers: dict[str, Answer] | None = None) -> Iterator[ScriptedRelay]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    said: list[bytes] = [IN_CLEAR, PROTECTED]
    ehlo: Callable[[str], bytes] = lambda _line: said.pop(0) if len(said) > 1 else said[0]  # noqa: E731
    with ScriptedRelay({"EHLO": ehlo, **(answers or {})}, context) as server:
        yield server


def to(server: ScriptedRelay, **more: str) -> Relay:
    return Relay("127.0.0.1", server.port, **{"tls": "starttls", "helo": "client", **more})  # type: ignore[arg-type]


def send(connection: Connection) -> None:
    for _ in range(3):
        assert connection.usable
        connection.offer("b@example.org", "ana@example.org")
        assert isinstance(connection.answer(), Ready)
        connection.hand(MESSAGE)
        assert isinstance(connection.reply(), Accepted)
    connection.close()


@pytest.mark.usefixtures("trusted")
def test_messages_go_through_starttls_and_nothing_goes_before(certificates: dict[str, Path]) -> None:
    with relay_with(certificates["good"]) as server:
        send(Connection.open(to(server), QUICK))
    assert server.messages == [MESSAGE] * 3
    assert server.heard[:3] == ["EHLO client", "STARTTLS", "EHLO client"]


@pytest.mark.usefixtures("trusted")
def test_messages_go_through_tls_from_the_first_byte(certificates: dict[str, Path]) -> None:
    with relay_with(certificates["good"]) as server:
        server.wrapped_from_the_start = True
        send(Connection.open(to(server, tls="tls"), QUICK))
    assert server.messages == [MESSAGE] * 3


@pytest.mark.usefixtures("trusted")
@pytest.mark.parametrize("name", ["stranger", "another host", "expired"])
@pytest.mark.parametrize("tls", ["starttls", "tls"])
def test_a_certificate_that_proves_nothing_ends_it(certificates: dict[str, Path], name: str, tls: str) -> None:
    with relay_with(certificates[name]) as server:
        server.wrapped_from_the_start = tls == "tls"
        with pytest.raises(Trouble) as trouble:
            Connection.open(to(server, tls=tls), QUICK)
    assert trouble.value.fatal
    assert not [line for line in server.heard if not line.startswith(("EHLO", "STARTTLS"))]


@pytest.mark.parametrize(
    ("answers", "fatal"),
    [
        ({"EHLO": b"250-x\r\n250 PIPELINING\r\n"}, True),
        ({"EHLO": b"502 no\r\n"}, True),
        ({"STARTTLS": b"454 4.7.0 not now\r\n"}, True),
        ({"STARTTLS": b"501 no\r\n"}, True),
        ({"STARTTLS": b"220 go\r\n250 injected\r\n"}, True),
        ({"STARTTLS": b"421 closing\r\n"}, False),
        ({"STARTTLS": DROP}, False),
        ({"STARTTLS": HANG}, False),
    ],
)
@pytest.mark.usefixtures("trusted")
def test_a_relay_that_does_not_protect_gets_nothing(
    certificates: dict[str, Path], answers: dict[str, Answer], fatal: bool
) -> None:
    with relay_with(certificates["good"], answers) as server, pytest.raises(Trouble) as trouble:
        Connection.open(to(server, user="u", password="p"), Timeouts(2, 0.3, 0.3))
    assert trouble.value.fatal is fatal
    assert not [line for line in server.heard if not line.startswith(("EHLO", "HELO", "STARTTLS"))]


@pytest.mark.parametrize("tls", ["starttls", "tls"])
def test_a_relay_that_speaks_no_tls_is_found_out(tls: str) -> None:
    with ScriptedRelay({"EHLO": IN_CLEAR}) as server, pytest.raises(Trouble):
        Connection.open(to(server, tls=tls), QUICK)
    assert not [line for line in server.heard if line.startswith(("MAIL", "AUTH"))]


# -- sign-in ----------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("trusted")
def test_sign_in_comes_after_protection(certificates: dict[str, Path]) -> None:
    with relay_with(certificates["good"]) as server:
        send(Connection.open(to(server, user="ana", password="pässword"), QUICK))
    secret = base64.b64encode("\0ana\0pässword".encode()).decode()
    assert server.heard[:4] == ["EHLO client", "STARTTLS", "EHLO client", f"AUTH PLAIN {secret}"]


def test_login_is_known_too() -> None:
    said = {"EHLO": b"250-x\r\n250 AUTH LOGIN\r\n", "AUTH": b"334 VXNlcm5hbWU6\r\n"}
    answers: dict[str, Answer] = {**said, "YW5H".upper(): b"334 UGFzc3dvcmQ6\r\n", "CHC=": b"235 ok\r\n"}
    with ScriptedRelay(answers) as server:
        Connection.open(to(server, tls="none", user="ana", password="pw"), QUICK).close()
    assert server.heard[1:4] == ["AUTH LOGIN", "YW5h", "cHc="]


@pytest.mark.parametrize(
    ("answers", "fatal"),
    [
        ({"AUTH": b"535 5.7.8 wrong\r\n"}, True),
        ({"AUTH": b"534 5.7.9 too weak\r\n"}, True),
        ({"AUTH": b"454 4.7.0 not now\r\n"}, False),
        ({"AUTH": b"421 closing\r\n"}, False),
        ({"AUTH": DROP}, False),
        ({"AUTH": b"334 more?\r\n"}, True),
        ({"EHLO": b"250-x\r\n250 AUTH CRAM-MD5\r\n"}, True),
        ({"EHLO": b"250 x\r\n"}, True),
    ],
)
def test_a_refused_sign_in_holds_the_blast_unless_it_may_pass(answers: dict[str, Answer], fatal: bool) -> None:
    server = ScriptedRelay({"EHLO": b"250-x\r\n250 AUTH PLAIN\r\n", **answers})
    with server, pytest.raises(Trouble) as trouble:
        Connection.open(to(server, tls="none", user="ana", password="secret"), QUICK)
    assert trouble.value.fatal is fatal
    assert "secret" not in trouble.value.reason
    assert not [line for line in server.heard if line.startswith("MAIL")]


def test_a_password_never_goes_in_clear_to_another_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(greeting, "is_loopback", lambda _address: False)
    with ScriptedRelay({"EHLO": b"250-x\r\n250 AUTH PLAIN\r\n"}) as server, pytest.raises(Trouble) as trouble:
        Connection.open(to(server, tls="none", user="ana", password="secret"), QUICK)
    assert trouble.value.fatal
    assert server.heard == ["EHLO client"]


@pytest.mark.parametrize(
    ("address", "ours"),
    [
        ("127.0.0.1", True),
        ("127.9.9.9", True),
        ("::1", True),
        ("::ffff:127.0.0.1", True),
        ("::1%lo", True),
        ("::ffff:192.0.2.1", False),
        ("0.0.0.0", False),  # noqa: S104
        ("10.0.0.1", False),
        ("fe80::1%eth0", False),
    ],
)
def test_what_this_machine_is(address: str, ours: bool) -> None:
    assert is_loopback(address) is ours
