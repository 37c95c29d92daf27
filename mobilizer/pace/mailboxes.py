"""Pace: the mailbox providers we know, by their domains and by the names of their mail servers."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

# Domains of each provider's own mailboxes.
DOMAINS = {
    "gmail": "gmail.com googlemail.com",
    "outlook": "outlook.com hotmail.com live.com msn.com passport.com windowslive.com",
    "yahoo": "yahoo.com ymail.com rocketmail.com myyahoo.com aol.com aim.com netscape.net verizon.net",
    "icloud": "icloud.com me.com mac.com",
    "gmx": "gmx.de gmx.net gmx.at gmx.ch gmx.com web.de mail.com caramail.com",
    "t-online": "t-online.de magenta.de",
    "freenet": "freenet.de",
    "mailru": "mail.ru bk.ru inbox.ru list.ru internet.ru xmail.ru",
    "yandex": "yandex.ru yandex.com ya.ru narod.ru",
    "rambler": "rambler.ru lenta.ru ro.ru autorambler.ru myrambler.ru",
    "qq": "qq.com foxmail.com vip.qq.com",
    "netease": "163.com 126.com yeah.net vip.163.com 188.com",
    "sina": "sina.com sina.cn",
    "naver": "naver.com",
    "daum": "daum.net hanmail.net kakao.com",
    "proton": "proton.me protonmail.com pm.me protonmail.ch",
    "tuta": "tuta.com tutanota.com tutanota.de tutamail.com tuta.io keemail.me",
    "fastmail": "fastmail.com fastmail.fm",
    "zoho": "zoho.com zohomail.com",
    "orange": "orange.fr wanadoo.fr",
    "free": "free.fr",
    "sfr": "sfr.fr neuf.fr cegetel.net club-internet.fr",
    "laposte": "laposte.net",
    "libero": "libero.it virgilio.it iol.it inwind.it blu.it",
    "telecomitalia": "tim.it alice.it tin.it",
    "terra": "terra.com.br terra.com",
    "uol": "uol.com.br bol.com.br",
    "sapo": "sapo.pt",
    "telefonica": "telefonica.net",
    "wp": "wp.pl o2.pl",
    "onet": "onet.pl op.pl poczta.onet.pl vp.pl",
    "interia": "interia.pl interia.eu poczta.fm",
    "seznam": "seznam.cz email.cz post.cz",
    "ziggo": "ziggo.nl home.nl upcmail.nl",
    "kpn": "kpnmail.nl kpnplanet.nl planet.nl hetnet.nl xs4all.nl",
    "telenet": "telenet.be",
    "bluewin": "bluewin.ch",
    "bt": "btinternet.com btopenworld.com",
    "comcast": "comcast.net xfinity.com",
    "att": "att.net sbcglobal.net bellsouth.net ameritech.net pacbell.net",
    "spectrum": "charter.net spectrum.net twc.com roadrunner.com",
    "cox": "cox.net",
    "rediff": "rediffmail.com",
    "bigpond": "bigpond.com bigpond.net.au telstra.com",
}

# Brands with a domain in many countries: yahoo.co.uk, hotmail.fr, live.com.mx.
BRANDS = {
    "yahoo": "yahoo", "ymail": "yahoo", "rocketmail": "yahoo", "aol": "yahoo",
    "outlook": "outlook", "hotmail": "outlook", "live": "outlook", "msn": "outlook",
    "gmx": "gmx", "yandex": "yandex",
}  # fmt: skip

# Endings of the names of mail servers, for domains that are hosted somewhere. The longest that fits decides.
MX = {
    "google.com": "gmail", "googlemail.com": "gmail", "smtp.goog": "gmail",
    "olc.protection.outlook.com": "outlook",
    "protection.outlook.com": "microsoft365", "mx.microsoft": "microsoft365",
    "yahoodns.net": "yahoo",
    "icloud.com": "icloud",
    "gmx.net": "gmx", "web.de": "gmx",
    "ui-dns.com": "ionos", "kundenserver.de": "ionos", "ionos.com": "ionos", "1and1.com": "ionos",
    "mail.ru": "mailru",
    "yandex.net": "yandex", "yandex.ru": "yandex",
    "qq.com": "qq",
    "netease.com": "netease", "mxhichina.com": "aliyun",
    "protonmail.ch": "proton",
    "tutanota.de": "tuta",
    "messagingengine.com": "fastmail",
    "zoho.com": "zoho", "zoho.eu": "zoho", "zoho.in": "zoho",
    "pphosted.com": "proofpoint", "ppe-hosted.com": "proofpoint", "mimecast.com": "mimecast",
    "barracudanetworks.com": "barracuda", "iphmx.com": "cisco", "messagelabs.com": "symantec",
    "secureserver.net": "godaddy", "emailsrvr.com": "rackspace",
    "ovh.net": "ovh", "gandi.net": "gandi", "infomaniak.ch": "infomaniak", "one.com": "one",
    "hostinger.com": "hostinger", "titan.email": "titan", "locaweb.com.br": "locaweb",
    "aruba.it": "aruba", "strato.de": "strato", "rzone.de": "strato",
    "orange.fr": "orange", "free.fr": "free", "laposte.net": "laposte", "libero.it": "libero", "uol.com.br": "uol",
}  # fmt: skip

_NATIONAL = re.compile(r"([a-z]+)\.(?:[a-z]{2}|co\.[a-z]{2}|com\.[a-z]{2})")


# Names that the DNS will never know (RFC 2606, RFC 6761, RFC 6762), address literals, and names without a dot.
_NOWHERE = re.compile(
    r"[^.]*|\[.*|(?:.*\.)?(?:example\.(?:com|net|org)|(?:test|example|invalid|localhost|local|localdomain|onion))",
    re.DOTALL,
)


def is_somewhere(domain: str) -> bool:
    """Whether the DNS may know a domain."""
    return not _NOWHERE.fullmatch(domain)


def national(domain: str) -> str:
    """The provider of a brand's domain in some country; "" if it is none."""
    found = _NATIONAL.fullmatch(domain)
    return BRANDS.get(found[1], "") if found else ""


def hosted(hosts: Iterable[str], more: Mapping[str, str] | None = None) -> str:
    """The provider behind a domain's mail servers, the preferred first; "" for none we know. `more` endings of host
    names come before ours."""
    known = MX | dict(more or {})
    return next(filter(None, (_ending(host.lower().rstrip("."), known) for host in hosts)), "")


def _ending(host: str, known: Mapping[str, str]) -> str:
    while host and host not in known:
        host = host.partition(".")[2]
    return known.get(host, "")
