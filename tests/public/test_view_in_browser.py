"""View in browser: the mail as it was sent, in any of its languages, without script and without counting."""

from __future__ import annotations

from sqlalchemy import delete, update

from mobilizer.appeals.appeals import Translation
from mobilizer.audience.members import Member
from mobilizer.blasts.blasts import Blast, Rendition
from mobilizer.keys import Purpose
from tests.public.conftest import World


def test_the_mail_is_shown_as_it_was_sent(world: World) -> None:
    with world.installation.database.write() as session:
        session.execute(update(Translation).values(title="Changed since"))
    answer = world.browser(accept_language="fr").get(f"/v/{world.token(Purpose.VIEW)}")
    assert answer.status_code == 200
    assert "El amor siempre gana" in answer.text
    assert "Changed since" not in answer.text
    assert "Ana" in answer.text
    assert f"/u/{world.token(Purpose.UNSUBSCRIBE)}" in answer.text
    assert "/o/" not in answer.text
    assert answer.headers["Content-Language"] == "es"
    assert answer.headers["Cache-Control"] == "no-store"


def test_its_policy_allows_the_mails_own_styles_and_no_script(world: World) -> None:
    policy = world.browser().get(f"/v/{world.token(Purpose.VIEW)}").headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "style-src 'unsafe-inline'" in policy
    assert "http://mobilizer.test" in policy
    assert "script-src" not in policy


def test_the_other_languages_of_the_mail_can_be_read(world: World) -> None:
    token = world.token(Purpose.VIEW)
    assert "الحب ينتصر دائمًا" in world.browser().get(f"/v/{token}/ar").text
    assert "Love Always Wins" in world.browser().get(f"/v/{token}/en-GB").text
    assert "El amor siempre gana" in world.browser().get(f"/v/{token}/de").text


def test_a_proof_can_be_viewed_before_launch(world: World) -> None:
    with world.installation.database.write() as session:
        session.execute(delete(Rendition))
    answer = world.browser(accept_language="ar").get(f"/v/{world.token(Purpose.VIEW, member=0)}")
    assert answer.status_code == 200
    assert 'dir="rtl"' in answer.text


def test_a_member_who_is_gone_still_sees_the_mail_without_their_name(world: World) -> None:
    with world.installation.database.write() as session:
        session.execute(delete(Member).where(Member.id == world.ana))
    answer = world.browser().get(f"/v/{world.token(Purpose.VIEW)}")
    assert answer.status_code == 200
    assert "Ana" not in answer.text


def test_a_mail_that_is_gone_is_said_to_be_gone(world: World) -> None:
    token = world.token(Purpose.VIEW)
    with world.installation.database.write() as session:
        session.execute(delete(Blast).where(Blast.id == world.blast))
    answer = world.browser(accept_language="pt-BR").get(f"/v/{token}")
    assert answer.status_code == 404
    assert "Este e-mail não pode mais ser exibido" in answer.text
