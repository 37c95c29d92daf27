"""What organizers ask: lists, pages, one member; who a blast goes to."""

from __future__ import annotations

import pytest
from sqlalchemy import select, update

from mobilizer.audience import queries
from mobilizer.audience.addresses import BadAddress
from mobilizer.audience.audience import audience, count_by_language
from mobilizer.audience.listing import create_list, name_problems
from mobilizer.audience.lists import Subscription
from mobilizer.audience.suppressing import is_suppressed, suppress
from mobilizer.audience.suppressions import SuppressedFor, Suppression
from mobilizer.installation import Installation
from tests.audience.conftest import Importer


@pytest.fixture
def two_lists(installation: Installation, bring: Importer, friends: int) -> tuple[int, int]:
    """Friends: ana es, bob en (suppressed), cleo es (left), dan pt+es. Others: ana, eve en."""
    with installation.database.write() as session:
        others = create_list(session, "Others").id
    bring(
        "email,name,language,second language\nana@example.org,Ana,es,\nbob@example.org,Bob,en,\n"
        "cleo@example.org,Cleo,es,\ndan@example.org,Dan,pt,es\n"
    )
    bring("email,name,language\nana@example.org,Ana,es\neve@example.org,Eve,en\n", list_id=others)
    with installation.database.write() as session:
        cleo = queries.member_by_address(session, installation.keyring, "cleo@example.org")
        session.execute(update(Subscription).where(Subscription.member_id == cleo).values(standing="unsubscribed"))
        suppress(session, installation.keyring.address_key("bob@example.org"), SuppressedFor.COMPLAINT)
    return friends, others


def test_lists_tell_their_members_by_language(installation: Installation, two_lists: tuple[int, int]) -> None:
    with installation.database.read() as session:
        friends, others = queries.lists(session)
        assert queries.languages_of_members(session) == [("en", 2), ("es", 2), ("pt", 1)]
    assert (friends.slug, friends.members, friends.unsubscribed) == ("friends", 3, 1)
    assert friends.languages == (("en", 1), ("es", 1), ("pt", 1))
    assert others.languages == (("en", 1), ("es", 1))


def test_pages_follow_each_other_without_gap_or_overlap(installation: Installation, two_lists: tuple[int, int]) -> None:
    seen: list[int] = []
    before = None
    with installation.database.read() as session:
        while True:
            page = queries.members_page(session, installation.keyring, before=before, size=2)
            seen += [line.id for line in page.members]
            before = page.older
            if before is None:
                break
    assert len(seen) == len(set(seen)) == 5
    assert seen == sorted(seen, reverse=True)


@pytest.mark.parametrize(
    ("filters", "names"),
    [
        ({}, {"Ana", "Bob", "Cleo", "Dan", "Eve"}),
        ({"language": "es"}, {"Ana", "Cleo"}),
        ({"standing": "confirmed"}, {"Ana", "Bob", "Dan", "Eve"}),
        ({"standing": "unsubscribed"}, {"Cleo"}),
        ({"standing": "suppressed"}, {"Bob"}),
        ({"list": 0}, {"Ana", "Bob", "Cleo", "Dan"}),
        ({"list": 0, "standing": "confirmed", "language": "es"}, {"Ana"}),
        ({"list": 1, "standing": "suppressed"}, set()),
    ],
)
def test_filters_narrow_pages_and_counts_alike(
    installation: Installation, two_lists: tuple[int, int], filters: dict[str, object], names: set[str]
) -> None:
    wanted = {key: value for key, value in filters.items() if key != "list"}
    if "list" in filters:
        wanted["list_id"] = two_lists[int(str(filters["list"]))]
    with installation.database.read() as session:
        page = queries.members_page(session, installation.keyring, **wanted)  # type: ignore[arg-type]
        assert {line.name for line in page.members} == names
        assert queries.count_members(session, **wanted) == len(names)  # type: ignore[arg-type]


def test_a_member_is_found_by_address_however_it_is_written(
    installation: Installation, two_lists: tuple[int, int]
) -> None:
    with installation.database.read() as session:
        found = queries.member_by_address(session, installation.keyring, " Ana <ANA@Example.org> ")
        assert found is not None
        detail = queries.member_detail(session, installation.keyring, found)
        assert detail is not None
        assert detail.line.name == "Ana"
        assert [(one.slug, one.standing) for one in detail.lists] == [("friends", "confirmed"), ("others", "confirmed")]
        assert queries.member_by_address(session, installation.keyring, "nobody@example.org") is None
        assert queries.member_detail(session, installation.keyring, 10**9) is None
        with pytest.raises(BadAddress):
            queries.member_by_address(session, installation.keyring, "nobody")


def test_an_audience_has_each_member_once(installation: Installation, two_lists: tuple[int, int]) -> None:
    friends, others = two_lists
    with installation.database.read() as session:
        ana, bob, cleo, dan, eve = (
            queries.member_by_address(session, installation.keyring, f"{name}@example.org")
            for name in ("ana", "bob", "cleo", "dan", "eve")
        )
        everyone = {tuple(row) for row in session.execute(audience([friends, others], []))}
        assert everyone == {
            (ana, "es", None, friends),
            (bob, "en", None, friends),
            (dan, "pt", "es", friends),
            (eve, "en", None, others),
        }
        assert {row.member_id for row in session.execute(audience([friends], [others]))} == {bob, dan}
        assert session.execute(audience([], [others])).all() == []
        assert {row.member_id for row in session.execute(audience([others], [friends]))} == {eve}
        assert cleo not in {row[0] for row in everyone}


@pytest.mark.parametrize(("standing", "people"), [("unsubscribed", 2), ("pending", 1), ("confirmed", 1)])
def test_who_left_an_excluded_list_is_not_excluded_by_it(
    installation: Installation, two_lists: tuple[int, int], standing: str, people: int
) -> None:
    friends, others = two_lists
    with installation.database.write() as session:
        ana = queries.member_by_address(session, installation.keyring, "ana@example.org")
        on_friends = (Subscription.member_id == ana, Subscription.list_id == friends)
        session.execute(update(Subscription).where(*on_friends).values(standing=standing))
        assert len(session.execute(audience([others], [friends])).all()) == people


def test_an_audience_is_counted_by_language_with_the_suppressed(
    installation: Installation, two_lists: tuple[int, int]
) -> None:
    with installation.database.read() as session:
        counted = count_by_language(session, two_lists, [])
    assert sorted(counted, key=str) == sorted([("en", None, 2, 1), ("es", None, 1, 0), ("pt", "es", 1, 0)], key=str)


def test_the_first_reason_for_a_suppression_stays(installation: Installation) -> None:
    key = installation.keyring.address_key("ana@example.org")
    for reason in (SuppressedFor.HARD_BOUNCE, SuppressedFor.MANUAL):
        with installation.database.write() as session:
            suppress(session, key, reason)
    with installation.database.read() as session:
        assert is_suppressed(session, key)
        assert not is_suppressed(session, b"x" * 16)
        assert list(session.scalars(select(Suppression.reason))) == ["hard_bounce"]


def test_lists_get_readable_slugs_that_are_free(installation: Installation) -> None:
    with installation.database.write() as session:
        names = ["Vídeos de Amor!", "Vídeos de Amor", "محبة", "x" * 200]
        slugs = [create_list(session, name).slug for name in names]
    assert slugs == ["videos-de-amor", "videos-de-amor-2", "list", "x" * 60]


def test_a_list_without_a_name_is_refused() -> None:
    assert [p.code for p in name_problems("  ")] == ["list.name_missing"]
    assert [p.code for p in name_problems("x" * 101)] == ["list.name_long"]
    assert name_problems("Friends") == []
