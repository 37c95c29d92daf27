"""What a change of words does: to history, to the languages translated from it, and to what somebody approved."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as some
from sqlalchemy import update
from sqlalchemy.orm import Session

from mobilizer.appeals import editing, glossary, history, states
from mobilizer.appeals.appeals import Appeal
from mobilizer.appeals.comments import comment, comments, open_comments, resolve
from mobilizer.appeals.differences import differences, likeness, words
from mobilizer.appeals.history import AUTOSAVED, Edit, Version
from mobilizer.appeals.states import State
from mobilizer.db import Database, clock
from mobilizer.organizers.users import User
from tests.appeals.conftest import PALABRAS, WORDS, an_appeal

# What an approval was bound to before appeals had words for each channel.
FINGERPRINTED = (
    *("subject", "preheader", "greeting", "greeting_nameless", "title", "poster_alt", "body", "button", "share_text"),
    *("video", "poster", "captions"),
)


@pytest.fixture
def love(database: Database) -> Database:
    """An appeal that says the same in English and Spanish."""
    with database.write() as session:
        session.add(an_appeal())
    return database


def appeal_in(session: Session) -> Appeal:
    found = editing.appeal_by_slug(session, "love")
    assert found is not None
    return found


def a_user(session: Session, name: str) -> int:
    user = User(address_key=name.encode(), sealed=b"", password_hash="", role="organizer")
    session.add(user)
    session.flush()
    return user.id


def save(session: Session, tag: str, edit: Edit = Edit(), **words: str) -> None:  # noqa: B008
    assert editing.save_translation(session, appeal_in(session), tag, words, edit=edit) == []


def spanish(session: Session) -> tuple[State, dict[str, str]]:
    appeal = appeal_in(session)
    own = editing.translation_in(appeal, "es")
    assert own is not None
    return states.state_of(appeal, own), states.outdated(own)


def test_a_changed_source_puts_its_translation_out_of_date_until_it_is_written_anew(love: Database) -> None:
    with love.write() as session:
        assert spanish(session) == (State.DONE, {})
        save(session, "en", subject="The embrace")
        save(session, "en", subject="An embrace")
        assert spanish(session) == (State.OUT_OF_DATE, {"subject": WORDS["subject"]}), "as it was when translated"
        save(session, "es", button="Ver")
        assert spanish(session)[0] == State.OUT_OF_DATE, "another field does not count"
        save(session, "es", subject="Un abrazo")
        assert spanish(session) == (State.DONE, {})


def test_a_source_that_says_again_what_it_said_leaves_nothing_out_of_date(love: Database) -> None:
    with love.write() as session:
        save(session, "en", subject="The embrace")
        save(session, "en", subject=WORDS["subject"])
        assert spanish(session) == (State.DONE, {})


def test_what_still_fits_is_said_to_fit(love: Database) -> None:
    with love.write() as session:
        save(session, "en", subject="The embrace", body="Watch.")
        assert editing.save_translation(session, appeal_in(session), "es", {}, fits=["subject"]) == []
        assert list(spanish(session)[1]) == ["body"]


def test_whoever_has_not_seen_the_change_does_not_settle_it(love: Database) -> None:
    with love.write() as session:
        appeal = appeal_in(session)
        seen = editing.drawn_from(appeal, appeal.translations[1])
        save(session, "en", subject="The embrace")
        assert editing.save_translation(session, appeal, "es", {"subject": "El abrazo"}, seen=seen) == []
        assert list(spanish(session)[1]) == ["subject"]


def test_approval_holds_for_exactly_the_words_that_were_read(love: Database) -> None:
    with love.write() as session:
        appeal = appeal_in(session)
        own = appeal.translations[1]
        stale = states.content_hash(appeal, own)
        save(session, "es", button="Ver")
        assert [p.code for p in states.approve(session, appeal, own, None, stale)] == ["appeal.read_other_words"]
        assert states.approve(session, appeal, own, None, states.content_hash(appeal, own)) == []
        assert spanish(session)[0] == State.REVIEWED
        save(session, "es", button="Ver la película")
        assert spanish(session)[0] == State.DONE
        states.approve(session, appeal, own, None, states.content_hash(appeal, own))
        save(session, "en", title="Love wins")
        assert spanish(session)[0] == State.OUT_OF_DATE
        assert states.approve(session, appeal, own, None, states.content_hash(appeal, own)) == []
        assert spanish(session) == (State.REVIEWED, {}), "who approves has read both"
        save(session, "es", button="")
        assert spanish(session)[0] == State.DRAFT
        assert states.approve(session, appeal, own, None, states.content_hash(appeal, own)) != []


def test_each_version_is_kept_and_what_saves_itself_is_one(love: Database) -> None:
    with love.write() as session:
        ana, ben = a_user(session, "ana"), a_user(session, "ben")
        for words_ in ("E", "El", "El abrazo"):
            save(session, "es", Edit(ana, AUTOSAVED), subject=words_)
        save(session, "es", Edit(ben, AUTOSAVED), subject="El abrazo de ella")
        session.execute(update(Version).values(changed_at=clock(-history.FOLD_SECONDS - 60)))
        save(session, "es", Edit(ben, AUTOSAVED), subject="Su abrazo")
        save(session, "es", Edit(ben), subject="Su abrazo!")
        save(session, "es", Edit(ben, AUTOSAVED), subject="Abrazo")
        own = appeal_in(session).translations[1]
        kept = [(one.words, one.by_id) for one in reversed(history.versions(session, own, "subject"))]
        said = [(PALABRAS["subject"], None), ("El abrazo", ana), ("El abrazo de ella", ben), ("Su abrazo!", ben)]
        assert kept == [*said, ("Abrazo", ben)]
        assert history.authors(session, appeal_in(session)) == {"es": {ben}}
        assert history.lately(session, own, ana) == ben
        assert history.lately(session, own, ben) is None


def test_words_that_were_approved_stay_a_version_of_their_own(love: Database) -> None:
    with love.write() as session:
        ana, appeal = a_user(session, "ana"), appeal_in(session)
        own = appeal.translations[1]
        save(session, "es", Edit(ana, AUTOSAVED), subject="El abrazo")
        states.approve(session, appeal, own, None, states.content_hash(appeal, own))
        save(session, "es", Edit(ana, AUTOSAVED), subject="Nada")
        assert [one.words for one in history.versions(session, own, "subject")][:2] == ["Nada", "El abrazo"]


def test_two_who_change_different_fields_do_not_cross(love: Database) -> None:
    with love.write() as session:
        appeal = appeal_in(session)
        seen = editing.drawn_from(appeal, appeal.translations[1])
        save(session, "es", subject="Suyo")
        typed = {**PALABRAS, "button": "Mío"}
        assert editing.save_translation(session, appeal, "es", typed, seen=seen) == []
        assert (appeal.translations[1].subject, appeal.translations[1].button) == ("Suyo", "Mío")
        crossed = editing.save_translation(session, appeal, "es", {"subject": "Mío", "title": "Otro"}, seen=seen)
        assert [(p.code, p.where) for p in crossed] == [("appeal.changed_meanwhile", "subject")]
        assert appeal.translations[1].title == PALABRAS["title"]


def test_a_form_that_stays_open_overwrites_nothing_that_it_does_not_show(love: Database) -> None:
    with love.write() as session:
        appeal = appeal_in(session)
        own, shown = appeal.translations[1], dict(PALABRAS)
        seen = editing.drawn_from(appeal, own)
        save(session, "es", subject="De ella")
        for button in ("Una", "Dos"):
            shown["button"] = button
            assert editing.save_translation(session, appeal, "es", shown, seen=seen) == []
            seen, stale = editing.still_drawn(own, shown, seen)
            assert stale == ["subject"]
            assert (own.subject, own.button) == ("De ella", button)
        shown["subject"] = "Mío"
        found = editing.save_translation(session, appeal, "es", shown, seen=seen)
        assert [(p.code, p.where) for p in found] == [("appeal.changed_meanwhile", "subject")]


def test_comments_wait_until_they_are_resolved(love: Database) -> None:
    with love.write() as session:
        ana, own = a_user(session, "ana"), appeal_in(session).translations[1]
        assert comment(session, own, "subject", " Shorter? ", ana) == []
        assert comment(session, own, "shoe", "x", ana) != []
        assert comment(session, own, "subject", " ", ana) != []
        said = comments(session, own)
        assert [(one.field, one.words) for one in said] == [("subject", "Shorter?")]
        assert open_comments(session, appeal_in(session)) == {"es": 1}
        assert not resolve(session, appeal_in(session).translations[0], said[0].id, ana), "of another language"
        assert resolve(session, own, said[0].id, ana)
        assert open_comments(session, appeal_in(session)) == {}


def test_the_glossary_knows_where_its_terms_are_used(database: Database) -> None:
    with database.write() as session:
        said = {"es": "pareja de hecho", "pt-BR": "", "pt": "união"}
        assert glossary.put_term(session, glossary.Wanted("civil union", "en", "", False, said)) == []
        assert glossary.put_term(session, glossary.Wanted("All Out", "en", "our name", True)) == []
        assert [p.code for p in glossary.put_term(session, glossary.Wanted("ALL OUT", "en"))] == ["glossary.twice"]
        assert glossary.put_term(session, glossary.Wanted("", "en")) != []
        assert glossary.put_term(session, glossary.Wanted("x", "klingon")) != []
        there = glossary.terms(session)
        found = glossary.hits(there, "en", "All Out fights for Civil unions? A civil union.", "es-MX")
        assert [(hit.words, hit.said) for hit in found] == [("All Out", "All Out"), ("civil union", "pareja de hecho")]
        assert glossary.kept_terms_missing(found, "Todo fuera") == ["All Out"]
        assert glossary.hits(there, "en", "In all outlines", "es") == []


@given(some.text(max_size=60), some.text(max_size=60))
def test_differences_hold_both_texts_whole(old: str, new: str) -> None:
    pieces = differences(old, new)
    assert "".join(one.text for one in pieces if one.kind != "added") == old
    assert "".join(one.text for one in pieces if one.kind != "removed") == new


def test_differences_are_of_words_and_of_letters_where_words_have_no_blanks() -> None:
    assert [(one.kind, one.text) for one in differences("the film now", "the new film")] == [
        ("same", "the "),
        ("added", "new "),
        ("same", "film"),
        ("removed", " now"),
    ]
    assert [one.text for one in differences("请看电影", "请看短片")] == ["请看", "电影", "短片"]
    assert [one.text for one in differences("फ़िल्म", "नई फ़िल्म")] == ["नई ", "फ़िल्म"], "marks stay with their letters"
    assert likeness("watch the film", "watch the film") == 1.0 > likeness("watch the film", "read it") > 0
    assert words("Watch, watch the film!") == {"watch", "the", "film"}


def test_an_approval_from_before_a_field_of_pages_was_there_holds(love: Database) -> None:
    with love.write() as session:
        appeal = appeal_in(session)
        es = next(one for one in appeal.translations if one.language == "es")
        es.share_whatsapp = es.share_email = es.share_sms = es.join_text = ""
        before = states.fingerprint(es)
        assert before == history.hash_of(*(PALABRAS.get(name, "") for name in FINGERPRINTED))
        es.share_sms = "Dos minutos:"
        by_sms = states.fingerprint(es)
        es.share_sms, es.share_email = "", "Dos minutos:"
        assert len({before, by_sms, states.fingerprint(es)}) == 3
