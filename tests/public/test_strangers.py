"""What somebody learns who has no token, tries codes one after another, or sends a form from elsewhere: nothing."""

from __future__ import annotations

import re

import pytest
from flask.testing import FlaskClient
from redis import Redis

from mobilizer.keys import Purpose
from mobilizer.recording import HITS, Buffer, buffer_of
from tests.one_database import database_url as database_url
from tests.public.conftest import World
from tests.public.test_abuse import ALSO, PURPOSES, mail_to_ana, wrong

UNSAFE = {"POST", "PUT", "DELETE", "PATCH"}


def routes_with_token(world: World) -> list[tuple[str, str, str]]:
    """(endpoint, method, address with “TOKEN” in it) of every route of the member's pages that a token opens."""
    adapter, found = world.app.url_map.bind("localhost"), []
    for rule in world.app.url_map.iter_rules():
        if "token" in rule.arguments and rule.endpoint.startswith("public."):
            others = {name: value for name, value in {"n": 1, "tag": "es"}.items() if name in rule.arguments}
            address = adapter.build(rule.endpoint, {"token": "TOKEN", **others})
            found += [(rule.endpoint, method, address) for method in sorted((rule.methods or set()) & {"GET", "POST"})]
    return found


def test_every_wrong_token_gets_the_same_answer_to_the_letter(world: World) -> None:
    """Whether it is forged, another's, another purpose's or cut off: who guesses is not told how near they are."""
    browser = world.browser()
    for endpoint, method, address in routes_with_token(world):
        name = endpoint.removeprefix("public.")
        told = set()
        for token in filter(None, wrong(world, PURPOSES[name], ALSO.get(name))):
            answer = browser.open(address.replace("TOKEN", token), method=method)
            kept = {key: value for key, value in answer.headers.items() if key != "X-Request-Id"}
            told.add((answer.status_code, answer.data, tuple(sorted(kept.items()))))
        assert len(told) == 1, (endpoint, method)


def test_a_token_in_another_spelling_is_none_but_percent_signs_are_the_webs_own(world: World) -> None:
    browser, good = world.browser(), world.token(Purpose.PREFERENCES)
    spelled = "".join(f"%{ord(letter):02x}" for letter in good)
    assert browser.get(f"/p/{spelled}").status_code == 200
    before = world.snapshot()
    for other in (
        f"{good}%00",
        f"{good}%20",
        f"%20{good}",
        f"{good}/",
        f"{good};x",
        good.replace("0", "%d9%a0"),
        f"0x{good}",
    ):
        for method in ("GET", "POST"):
            assert browser.open(f"/p/{other}", method=method).status_code in (400, 404, 405), other
    assert world.snapshot() == before


@pytest.mark.parametrize("path", ["/w/love-always-wins/es/{code}", "/q/{code}/love-always-wins.svg"])
def test_no_page_tells_a_code_that_is_somebodys_from_one_that_is_nobodys(world: World, path: str) -> None:
    def page(code: str) -> tuple[int, str]:
        answer = world.browser().get(path.format(code=code))
        if answer.mimetype != "text/html":
            return answer.status_code, ""  # a picture of the code itself
        return answer.status_code, re.sub(
            r'(data-stamp|name="stamp" value)="[^"]+"', "", answer.text.replace(code, "CODE")
        )

    assert page("anascode22") == page("nobodys222")


def test_what_an_unknown_share_code_opens_is_the_film(world: World) -> None:
    answers = [
        world.browser().get(f"/s/{code}/love-always-wins") for code in ("nobodys222", "a" * 20, "0", "anascode2")
    ]
    assert {answer.location for answer in answers} == {"/w/love-always-wins/en"}
    assert world.events() == []


def test_a_form_from_elsewhere_changes_only_what_the_token_in_its_address_allows(world: World) -> None:
    """No cookie is asked for, so none can be borrowed: an empty POST from another site to any link of a mail leaves all
    as it was. The one that unsubscribes is left out: it is there to be sent by anybody (RFC 8058)."""
    base = world.installation.settings.base_url
    found = {link[len(base) :] for link in re.findall(rf"{re.escape(base)}[^\s\"'<>)\]]+", mail_to_ana(world))}
    before = world.snapshot()
    browser = world.browser(origin="https://evil.example", referer="https://evil.example/", sec_fetch_site="cross-site")
    for link in sorted(found):
        if not link.startswith(("/u/", "/media/")):
            for method in sorted(UNSAFE):
                answer = browser.open(link, method=method)
                assert answer.status_code in (200, 404, 405), (method, link)
                assert "Set-Cookie" not in answer.headers
    after = world.snapshot()
    assert {name for name, rows in after.items() if rows != before[name]} <= {"events", "recorded_parcels"}
    assert [event.kind for event in world.events()] == ["preferences"]  # somebody pressed “Save” on an empty form


def test_what_programs_ask_for_leaves_nothing_in_redis_but_hits(
    world: World, redis_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    buffer = buffer_of(world.installation)
    monkeypatch.setattr(buffer, "_redis_url", redis_url)
    monkeypatch.setattr(Buffer, "_bring_on", lambda _: None)
    base, browser = world.installation.settings.base_url, world.browser()
    with Redis.from_url(redis_url) as redis:
        for link in sorted(set(re.findall(rf"{re.escape(base)}[^\s\"'<>)\]]+", mail_to_ana(world)))):
            for method in ("HEAD", "OPTIONS"):
                browser.open(link[len(base) :], method=method)
        buffer.flush()
        assert redis.keys() == []
        browser.get(f"/c/{world.token(Purpose.CLICK)}/{world.link('watch')}", headers={"Sec-Purpose": "prefetch"})
        buffer.flush()
        assert redis.keys() == [HITS.encode()]


def openly(browser: FlaskClient, path: str, headers: dict[str, str]) -> str:
    """Where an answer leads and all that it says."""
    answer = browser.get(path, headers=headers)
    return f"{answer.headers} {answer.text if answer.mimetype == 'text/html' else ''}"


@pytest.mark.parametrize("forged", ["evil.example", "evil.example:80", "localhost@evil.example", "evil.example/x?"])
def test_a_forged_host_comes_back_in_no_answer(world: World, monkeypatch: pytest.MonkeyPatch, forged: str) -> None:
    """Neither in a link nor in a redirect, nor in a page that is kept for others."""
    monkeypatch.setitem(world.app.config, "DRAWN_SECONDS", 60.0)
    ways = ({"Host": forged}, {"X-Forwarded-Host": forged}, {"X-Original-URL": forged, "Forwarded": f"host={forged}"})
    paths = (
        f"/c/{world.token(Purpose.CLICK)}/{world.link('watch')}",
        f"/u/{world.token(Purpose.UNSUBSCRIBE)}",
        f"/p/{world.token(Purpose.PREFERENCES)}",
        f"/v/{world.token(Purpose.VIEW)}",
        *("/w/love-always-wins/es/anascode22", "/w/love-always-wins/xx", "/s/anascode22/love-always-wins"),
        *("/sign-in", "/members", "/nowhere"),
    )
    for path in paths:
        for headers in (*ways, {}):
            assert "evil" not in openly(world.browser(), path, headers), path


@pytest.mark.parametrize(
    "name",
    [
        "../keys.json", "..%2fkeys.json", "%2e%2e/keys.json", "....//keys.json", "keys.json", "/etc/passwd",
        "%2fetc%2fpasswd", ".%00.jpg", "x.svg", "mobilizer.sqlite3", "..\\keys.json", "",
    ],
)  # fmt: skip
def test_no_path_leads_out_of_the_folder_of_media(world: World, name: str) -> None:
    for folder in ("/media/", "/public/"):
        answer = world.browser().get(folder + name)
        assert answer.status_code in (308, 400, 404), name
        assert b'"keys"' not in answer.data
        assert b"root:" not in answer.data


@pytest.mark.parametrize(
    "asked", ["bytes=0-0,2-3,4-5", "bytes=9-2", "bytes=-0", "bytes=99999999999-", "bytes=" + "0-1," * 2000, "x" * 500]
)
def test_a_range_that_asks_for_much_is_answered_with_no_more_than_the_film(world: World, asked: str) -> None:
    page = world.browser().get("/w/love-always-wins/es").text
    film = re.search(r'<source src="([^"]+)"', page)
    assert film
    whole = len(world.browser().get(film[1]).data)
    answer = world.browser().get(film[1], headers={"Range": asked})
    assert answer.status_code in (200, 206, 416)
    assert len(answer.data) <= max(whole, 5000)
