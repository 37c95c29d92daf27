"""Mailbox providers: known at once by domain, later by mail servers; nothing waits, nothing is kept in clear."""

from __future__ import annotations

import threading
from collections.abc import Callable

import pytest
from redis import Redis

from mobilizer.delivery.limits import providers_of
from mobilizer.installation import Installation
from mobilizer.pace import lookups
from mobilizer.pace.lookups import Lookups, NoAnswer
from mobilizer.pace.mailboxes import DOMAINS, MX, hosted
from mobilizer.pace.providers import MOST_KEPT, Providers
from mobilizer.transport.relays import ProviderRule, Relays


@pytest.mark.parametrize(
    ("domain", "provider"),
    [
        ("gmail.com", "gmail"),
        ("googlemail.com", "gmail"),
        ("outlook.com", "outlook"),
        ("hotmail.co.uk", "outlook"),
        ("live.com.mx", "outlook"),
        ("outlook.es", "outlook"),
        ("yahoo.com", "yahoo"),
        ("yahoo.com.br", "yahoo"),
        ("ymail.com", "yahoo"),
        ("aol.com", "yahoo"),
        ("me.com", "icloud"),
        ("web.de", "gmx"),
        ("gmx.fr", "gmx"),
        ("bk.ru", "mailru"),
        ("yandex.com.tr", "yandex"),
        ("qq.com", "qq"),
        ("163.com", "netease"),
        ("wanadoo.fr", "orange"),
        ("free.fr", "free"),
        ("bol.com.br", "uol"),
        ("pm.me", "proton"),
        ("notgmail.com", ""),
        ("gmail.com.example.org", ""),
        ("yahoo.example.org", ""),
        ("", ""),
    ],
)
def test_a_domain_has_its_provider(domain: str, provider: str) -> None:
    assert Providers().of(domain) == provider


def test_no_domain_is_claimed_by_two_providers() -> None:
    domains = [domain for line in DOMAINS.values() for domain in line.split()]
    assert len(domains) == len(set(domains))


@pytest.mark.parametrize(
    ("hosts", "provider"),
    [
        (["aspmx.l.google.com.", "alt1.aspmx.l.google.com."], "gmail"),
        (["ASPMX2.GOOGLEMAIL.COM."], "gmail"),
        (["example-org.mail.protection.outlook.com."], "microsoft365"),
        (["eur.olc.protection.outlook.com."], "outlook"),
        (["mx.example.org.", "mx1.messagingengine.com."], "fastmail"),
        (["evilgoogle.com."], ""),
        (["mx.example.org."], ""),
        (["."], ""),
        ([], ""),
    ],
)
def test_a_hosted_domain_is_known_by_its_mail_servers(hosts: list[str], provider: str) -> None:
    assert hosted(hosts) == provider


def test_configured_domains_and_servers_come_first() -> None:
    assert Providers({"ours": ["gmail.com", "ours.example"]}).of("gmail.com") == "ours"
    assert hosted(["mx.l.google.com"], {"l.google.com": "ours"}) == "ours"
    assert hosted(["mx.google.com"], {"l.google.com": "ours"}) == MX["google.com"]


class Dns:
    """Answers as told, when it is allowed to; remembers what it was asked."""

    def __init__(self, answers: dict[str, str]) -> None:
        self.answers, self.asked = answers, list[str]()
        self.may, self.answered = threading.Event(), threading.Semaphore(0)

    def __call__(self, domain: str) -> str:
        assert self.may.wait(10)
        self.asked.append(domain)
        if domain not in self.answers:
            raise NoAnswer("timeout")
        return self.answers[domain]

    def tell(self, providers: Providers, *domains: str) -> Providers:
        """Let it answer; wait until the last of these domains is known to have been answered."""
        self.may.set()
        for _ in domains:
            assert self.answered.acquire(timeout=10)
        return providers


@pytest.fixture
def looking(redis_url: str) -> Callable[[Dns], Providers]:
    def made(dns: Dns) -> Providers:
        lookups = Lookups(dns, Redis.from_url(redis_url), lambda domain: domain[::-1].encode())

        def look_up(domain: str, answer: Callable[[str, str], None]) -> None:
            lookups(domain, lambda of, name: (answer(of, name), dns.answered.release())[0])

        return Providers(look_up=look_up)

    return made


def test_an_unknown_domain_is_looked_up_behind_the_scenes_once(looking: Callable[..., Providers]) -> None:
    dns = Dns({"parish.church": "gmail", "alone.church": ""})
    providers = looking(dns)
    assert [providers.of(domain) for domain in ("parish.church", "alone.church", "gmail.com")] == ["", "", "gmail"]
    dns.tell(providers, "parish.church", "alone.church")
    assert [providers.of(domain) for domain in ("parish.church", "alone.church")] == ["gmail", ""]
    assert dns.asked == ["parish.church", "alone.church"]


def test_other_processes_learn_it_from_redis_where_no_domain_can_be_read(
    looking: Callable[..., Providers], redis_url: str
) -> None:
    first = Dns({"parish.church": "gmail"})
    providers = looking(first)
    providers.of("parish.church")
    first.tell(providers, "parish.church")
    second = Dns({})
    providers = looking(second)
    providers.of("parish.church")
    assert second.tell(providers, "parish.church").of("parish.church") == "gmail"
    assert second.asked == []
    [key] = Redis.from_url(redis_url).keys("mobilizer:provider:*")
    assert b"parish" not in key
    assert 0 < Redis.from_url(redis_url).ttl(key) <= 86_400


def test_a_dns_that_does_not_answer_teaches_nothing(looking: Callable[..., Providers], redis_url: str) -> None:
    dns = Dns({"later.church": "gmail"})
    providers = looking(dns)
    providers.of("never.church")
    providers.of("later.church")
    dns.tell(providers, "later.church")
    assert providers.of("never.church") == ""
    others = Dns({"never.church": "gmail", "other.church": "gmail"})
    again = looking(others)
    again.of("never.church")
    again.of("other.church")
    others.tell(again, "other.church")
    assert others.asked == ["other.church"]  # of the first it is known, for a while, that nothing is known
    key = b"mobilizer:provider:" + b"never.church"[::-1].hex().encode()
    assert 0 < Redis.from_url(redis_url).ttl(key) <= 3600


def test_for_answers_that_do_not_come_one_waits_only_so_long(
    looking: Callable[..., Providers], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lookups, "MOST_SILENT_SECONDS", 0)
    dns = Dns({"known.church": "gmail"})
    providers = looking(dns)
    providers.of("known.church")
    dns.tell(providers, "known.church")
    for name in ("never", "neither", "nor"):
        providers.of(f"{name}.church")
    providers._look_up("known.church", lambda *_: None)  # type: ignore[misc] # it is remembered, and comes last
    dns.tell(providers, "known.church")
    assert dns.asked == ["known.church", "never.church"]


NOWHERE = ("example.org", "a.example.org", "a.test", "x.invalid", "mail.local", "localhost", "", "[192.0.2.1]")


@pytest.mark.parametrize(
    ("domain", "asks"),
    [(domain, True) for domain in ("parish.church", "example.church", "test.org")]
    + [(name, False) for name in NOWHERE],
)
def test_only_what_the_dns_may_know_is_looked_up(domain: str, asks: bool) -> None:
    asked = []
    Providers(look_up=lambda domain, _answer: asked.append(domain)).of(domain)
    assert asked == [domain] * asks


def test_what_is_remembered_has_an_end() -> None:
    asked = []
    providers = Providers(look_up=lambda domain, _answer: asked.append(domain))
    for number in range(MOST_KEPT * 3):
        providers.of(f"d{number}.church")
    assert len(asked) == MOST_KEPT * 3
    assert len(providers._found) <= MOST_KEPT


def test_an_installation_that_may_not_leave_this_machine_asks_no_dns(installation: Installation) -> None:
    settings = installation.settings.model_copy(update={"loopback_only": True})
    here = Installation(settings, installation.database, installation.keyring)
    relays = Relays((), (ProviderRule("ours", domains=("ours.example",)),))
    threads = threading.active_count()
    providers = providers_of(here, relays)
    assert [providers.of(domain) for domain in ("ours.example", "parish.church")] == ["ours", ""]
    assert threading.active_count() == threads
