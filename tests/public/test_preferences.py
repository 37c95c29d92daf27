"""Preferences: a member chooses languages and lists; what was never offered changes nothing."""

from __future__ import annotations

from html import unescape

from sqlalchemy import update

from mobilizer.audience.lists import Standing, Subscription
from mobilizer.audience.members import Member
from mobilizer.audience.named_sharers import NamedSharer
from mobilizer.audience.preferences import preferences_of
from mobilizer.engagement.events import Event, EventKind
from mobilizer.keys import Purpose
from tests.public.conftest import World


def member(world: World, number: int) -> tuple[str, str | None]:
    with world.installation.database.read() as session:
        found = session.get_one(Member, number)
        return found.language, found.second_language


def save(world: World, **form: object) -> str:
    answer = world.browser().post(f"/p/{world.token(Purpose.PREFERENCES)}", data=form)
    assert answer.status_code == 200
    return answer.text


def test_the_page_shows_how_things_stand(world: World) -> None:
    text = world.browser().get(f"/p/{world.token(Purpose.PREFERENCES)}").text
    assert '<html lang="es" dir="ltr">' in text
    assert '<option value="es" lang="es" selected>Español</option>' in text
    assert text.count('name="lists"') == 2
    assert "ana@" not in text
    assert f"/u/{world.token(Purpose.UNSUBSCRIBE)}" in text


def test_the_page_speaks_the_language_that_was_chosen(world: World) -> None:
    text = save(world, language="ar", second_language="fr")
    assert '<html lang="ar" dir="rtl">' in text
    assert "حُفظت التغييرات." in text
    assert member(world, world.ana) == ("ar", "fr")
    assert '<html lang="ar"' in world.browser().get(f"/p/{world.token(Purpose.PREFERENCES)}").text
    assert [event.kind for event in world.events()] == ["preferences"]
    # Lists were not in the form: they stay.
    assert set(world.standing(world.ana).values()) == {"confirmed"}


def test_mails_become_fewer_and_as_many_as_before(world: World) -> None:
    text = save(world, mails="monthly")
    assert 'value="monthly" checked' in text
    assert 'value="paused" checked' in save(world, mails="paused")
    with world.installation.database.read() as session:
        until = preferences_of(session, world.ana).paused_until
        assert until is not None
        text = save(world, mails="nonsense")
        assert f"{until.day} de " in text  # they see until when
        assert str(until.year) in text
    assert 'value="all" checked' in save(world, mails="all")
    with world.installation.database.read() as session:
        assert preferences_of(session, world.ana).paused_until is None


def test_whose_link_was_posted_in_public_reads_how_often_it_was_opened(world: World) -> None:
    came = (EventKind.VISIT, "crowd", 63_880), (EventKind.VISIT, "", 12), (EventKind.WATCH, "crowd", 9_000)
    with world.installation.database.write() as session:
        for kind, machine, times in came:
            told = {"channel": "start", "machine": machine, "times": times}
            session.add(Event(kind=kind, blast_id=world.blast, via_id=world.ana, **told))
    page = world.browser().get(f"/p/{world.token(Purpose.PREFERENCES)}?in=en").text
    assert "Your link travelled far: it was opened 63,892 times." in page
    assert "watched because of you" not in page


def test_who_wants_their_sharing_uncounted_shares_and_is_not_counted(world: World) -> None:
    share = f"/s/{world.code(world.ana)}/love-always-wins"
    assert world.browser().get(share).status_code == 302
    assert [event.via_id for event in world.events()] == [world.ana]
    with world.installation.database.write() as session:
        session.execute(update(Event).values(kind=EventKind.WATCH, channel="start"))
    assert "What came of your link" in world.browser().get(f"/p/{world.token(Purpose.PREFERENCES)}?in=en").text
    assert "What came of" not in save(world, language="en", counts_shown="1")
    before = len(world.events())
    assert world.browser().get(share).status_code == 302
    assert len(world.events()) == before
    # Nothing of it in the form: it stays as it is.
    assert "What came of" not in save(world, language="en")
    assert "What came of" in save(world, language="en", counts_shown="1", sharing="1")


def test_tracking_is_turned_off_and_on(world: World) -> None:
    def tracked() -> bool:
        with world.installation.database.read() as session:
            return session.get_one(Member, world.ana).tracking

    assert 'name="tracking" value="1" checked' in save(world, language="en")
    assert tracked()  # nothing of it was in the form
    assert 'name="tracking" value="1">' in save(world, counts_shown="1", sharing="1")
    assert not tracked()
    save(world, counts_shown="1", tracking="1")
    assert tracked()


def test_a_member_lets_their_name_be_seen_and_takes_it_back(world: World) -> None:
    organisation = world.installation.settings.organisation
    asked = f"Sí, la gente de \u2068{organisation}\u2069 puede ver mi nombre junto a lo que ha logrado mi enlace."
    assert asked in unescape(world.browser().get(f"/p/{world.token(Purpose.PREFERENCES)}").text)
    save(world, counts_shown="1", tracking="1", sharing="1", named="1", spoken="es")
    save(world, language="en")  # nothing of it in the form: it stays as it is
    with world.installation.database.read() as session:
        kept = session.get_one(NamedSharer, world.ana)
        assert (kept.wording, kept.wording_language) == (asked, "es")
    save(world, counts_shown="1", tracking="1", sharing="1", spoken="es")
    with world.installation.database.read() as session:
        assert session.get(NamedSharer, world.ana) is None
    save(world, counts_shown="1", tracking="1", named="1", spoken="xx")
    with world.installation.database.read() as session:
        assert session.get(NamedSharer, world.ana) is None, "nobody agreed to words that nobody showed"


def test_a_new_link_is_the_only_one_that_leads_to_its_member(world: World) -> None:
    old = world.code(world.ana)
    save(world, renew="1")
    new = world.code(world.ana)
    for code in (old, new):
        assert world.browser().get(f"/s/{code}/love-always-wins").status_code == 302
    assert new != old
    assert [event.via_id for event in world.events() if event.kind == "visit"] == [world.ana]


def test_a_list_is_left_and_joined_again(world: World) -> None:
    first, second, _ = world.lists
    save(world, language="es", lists_shown=[first, second], lists=[second])
    assert world.standing(world.ana) == {first: "unsubscribed", second: "confirmed"}
    save(world, language="es", lists_shown=[first, second], lists=[first, second])
    assert world.standing(world.ana) == {first: "confirmed", second: "confirmed"}


def test_leaving_the_last_list_counts_as_leaving(world: World) -> None:
    first, second, _ = world.lists
    save(world, lists_shown=[first, second])
    assert [event.kind for event in world.events()] == ["preferences", "unsubscribe"]


def test_nobody_joins_a_list_they_never_were_on(world: World) -> None:
    first, second, third = world.lists
    save(world, lists_shown=[first, second, third, "x"], lists=[first, second, third, 999])
    assert world.standing(world.ana) == {first: "confirmed", second: "confirmed"}


def test_a_list_that_was_never_confirmed_is_not_offered(world: World) -> None:
    third = world.lists[2]
    with world.installation.database.write() as session:
        session.add(Subscription(list_id=third, member_id=world.ana, standing=Standing.PENDING))
    save(world, lists_shown=[third], lists=[third])
    assert world.standing(world.ana)[third] == "pending"


def test_a_language_that_is_none_changes_nothing(world: World) -> None:
    save(world, language="klingon", second_language="<script>")
    assert member(world, world.ana) == ("es", None)


def test_a_second_language_that_is_the_first_is_none(world: World) -> None:
    save(world, language="fr", second_language="fr")
    assert member(world, world.ana) == ("fr", None)


def test_one_token_never_touches_another_member(world: World) -> None:
    save(world, language="fr", lists_shown=list(world.lists), member=world.amal)
    assert member(world, world.amal) == ("ar", None)
    assert set(world.standing(world.amal).values()) == {"confirmed"}


def test_a_member_who_is_gone_gets_a_calm_page(world: World) -> None:
    token = world.token(Purpose.PREFERENCES, 4711)
    for answer in (world.browser().get(f"/p/{token}"), world.browser().post(f"/p/{token}", data={"language": "fr"})):
        assert answer.status_code == 200
        assert "We no longer keep any preferences for this link." in answer.text
    assert world.events() == []
