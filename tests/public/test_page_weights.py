"""What each of a member's pages weighs, with all that it loads but the film: little enough for the slowest phone.

`pytest -s` lists them.
"""

from __future__ import annotations

import re
from functools import cache

import pytest
from sqlalchemy import select, update

from mobilizer.appeals.appeals import Appeal, Translation
from mobilizer.audience.lists import MemberList
from mobilizer.audience.sign_ups import SignUp
from mobilizer.keys import Purpose, Ticket
from mobilizer.languages import MEMBER_LANGUAGES
from mobilizer.public.posters import MAX_BYTES
from mobilizer.rights.record import link_token
from tests.public.conftest import BODY, WORDS, World

MOST = 60_000  # bytes, before any compression
LOADED = re.compile(r'(?:href|src|poster)="(/(?:public/[^"]+|media/\w+\.jpg|q/[^"]+))"')


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_each_page_is_light_in_each_language(world: World) -> None:
    paths, client = prepared(world), world.browser()

    @cache  # a poster with as much as it may have
    def weight_of(file: str) -> int:
        return MAX_BYTES if file.startswith("/media/") else len(client.get(file).data)

    weights: dict[str, list[int]] = {}
    for tag in MEMBER_LANGUAGES:
        for name, path in paths.items():
            answer = world.browser(accept_language=tag).get(path.format(tag=tag))
            assert (answer.status_code in (200, 404), answer.headers["Content-Language"]) == (True, tag), name
            files = set(LOADED.findall(answer.text))
            weights.setdefault(name, []).append(len(answer.data) + sum(map(weight_of, files)))
    for name, found in weights.items():
        print(f"{name:12} {min(found):6} to {max(found):6} bytes")  # noqa: T201 - the list that was asked for
    assert {name: max(found) for name, found in weights.items() if max(found) >= MOST} == {}


def prepared(world: World) -> dict[str, str]:
    """The addresses of all pages, by name, of a film that speaks all languages and a list that is open."""
    with world.installation.database.write() as session:
        session.execute(update(MemberList).values(open=True))
        appeal = session.scalars(select(Appeal)).one()
        for tag in set(MEMBER_LANGUAGES) - set(WORDS):
            appeal.translations.append(
                Translation(language=tag, title="Title " * 8, body=BODY * 9, share_text="x" * 200)
            )
        wish = SignUp(
            list_id=world.lists[0], address_key=b"k" * 16, language="", wording="W" * 200, wording_language="en"
        )
        session.add(wish)
        session.flush()
        record = link_token(session, world.installation.keyring, world.ana)
        confirm = world.installation.keyring.token(Purpose.CONFIRM, Ticket(wish.id, 0))
    return {
        "watch": "/w/love-always-wins/{tag}/anascode22?own=1",
        "join": "/j/list-0?in={tag}&of=love-always-wins&by=anascode22",
        "sent": "/j/list-0/sent?in={tag}",
        "confirm": f"/k/{confirm}?in={{tag}}",
        "preferences": f"/p/{world.token(Purpose.PREFERENCES)}?in={{tag}}",
        "record": f"/r/{record}?in={{tag}}",
        "unsubscribe": f"/u/{world.token(Purpose.UNSUBSCRIBE)}?in={{tag}}",
        "over": "/k/forged?in={tag}",
        "missing": "/w/nothing/{tag}",
    }
