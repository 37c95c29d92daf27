"""Whose mailboxes a domain has, asked of a DNS server on a socket: every answer that there is, and none."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator

import dns.flags
import dns.message
import dns.rcode
import dns.resolver
import dns.rrset
import pytest

from mobilizer.pace import lookups
from mobilizer.pace.lookups import Lookups, NoAnswer, mail_servers
from mobilizer.pace.mailboxes import hosted
from mobilizer.pace.providers import Providers

ZONE = {
    "parish.church.": "MX 20 alt1.aspmx.l.google.com. MX 10 aspmx.l.google.com.",
    "school.church.": "MX 0 school-church.mail.protection.outlook.com.",
    "filtered.church.": "MX 10 mx.filter.church. MX 20 mx1.messagingengine.com.",
    "own.church.": "MX 10 mail.own.church.",
    "nomail.church.": "MX 0 .",
    "alias.church.": "CNAME parish.church.",
    "address.church.": "A 192.0.2.7",
}
RCODES = {"gone.church.": dns.rcode.NXDOMAIN, "broken.church.": dns.rcode.SERVFAIL, "shut.church.": dns.rcode.REFUSED}
SILENT = "silent.church."


class Server:
    """Answers over UDP; remembers what it was asked."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind(("127.0.0.1", 0))
        self.port: int = self._socket.getsockname()[1]
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Answer no more."""
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as bell:
            bell.sendto(b"", ("127.0.0.1", self.port))
        self._thread.join(10)
        self._socket.close()

    def _serve(self) -> None:
        while True:
            data, sender = self._socket.recvfrom(4096)
            if not data:
                return
            question = dns.message.from_wire(data)
            name = question.question[0].name.to_text()
            self.asked.append(name)
            if name != SILENT:
                self._socket.sendto(_answer(question, name).to_wire(), sender)


def _answer(question: dns.message.Message, name: str) -> dns.message.Message:
    answer = dns.message.make_response(question)
    answer.flags |= dns.flags.RA
    answer.set_rcode(RCODES.get(name, dns.rcode.NOERROR))
    said = ZONE.get(name, "")
    if said.startswith("CNAME"):
        answer.answer.append(dns.rrset.from_text(name, 300, "IN", "CNAME", said.split()[1]))
        name, said = said.split()[1], ZONE[said.split()[1]]
    records = [record.strip() for record in said.split("MX ") if record.strip() and said.startswith("MX")]
    if records:
        answer.answer.append(dns.rrset.from_text(name, 300, "IN", "MX", *records))
    return answer


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    """The DNS server that this process asks."""
    here = Server()
    resolver = dns.resolver.Resolver(configure=False)
    resolver.nameservers, resolver.port = ["127.0.0.1"], here.port
    monkeypatch.setattr(dns.resolver, "default_resolver", resolver)
    monkeypatch.setattr(lookups, "DNS_SECONDS", 0.3)
    yield here
    here.close()


@pytest.mark.parametrize(
    ("domain", "servers", "provider"),
    [
        ("parish.church", ["aspmx.l.google.com.", "alt1.aspmx.l.google.com."], "gmail"),
        ("school.church", ["school-church.mail.protection.outlook.com."], "microsoft365"),
        ("filtered.church", ["mx.filter.church.", "mx1.messagingengine.com."], "fastmail"),
        ("alias.church", ["aspmx.l.google.com.", "alt1.aspmx.l.google.com."], "gmail"),
        ("own.church", ["mail.own.church."], ""),
        ("nomail.church", ["."], ""),
        ("address.church", [], ""),
        ("gone.church", [], ""),
    ],
)
def test_the_mail_servers_of_a_domain_say_whose_mailboxes_it_has(
    server: Server, domain: str, servers: list[str], provider: str
) -> None:
    found = mail_servers(domain)
    assert found == servers, "the preferred first"
    assert hosted(found) == provider


@pytest.mark.parametrize(
    "domain", ["broken.church", "shut.church", "silent.church", "too" + "o" * 70 + ".church", "a..b"]
)
def test_a_dns_that_does_not_say_is_not_taken_for_a_no(server: Server, domain: str) -> None:
    with pytest.raises(NoAnswer):
        mail_servers(domain)


def test_domains_that_are_hosted_together_are_one_provider_once_the_dns_has_said_so(server: Server) -> None:
    answered = threading.Semaphore(0)
    behind = Lookups(lambda domain: hosted(mail_servers(domain)), None, str.encode)
    providers = Providers(
        look_up=lambda domain, answer: behind(domain, lambda *told: (answer(*told), answered.release())[0])
    )
    domains = ("parish.church", "alias.church", "own.church")
    assert {providers.of(domain) for domain in domains} == {""}
    for _ in domains:
        assert answered.acquire(timeout=10)
    assert [providers.of(domain) for domain in domains] == ["gmail", "gmail", ""]
    assert server.asked == [f"{domain}." for domain in domains]
