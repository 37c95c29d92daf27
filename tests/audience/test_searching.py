"""Names are looked for under their seals: a bounded look at a time, nobody missed and nobody twice, whatever joins."""

from __future__ import annotations

import pytest
from sqlalchemy import delete

from mobilizer.audience.members import Identity, Member, seal_identity
from mobilizer.audience.queries import members_page, narrowed
from mobilizer.audience.searching import Look, by_name, folded
from mobilizer.codes import share_code
from mobilizer.installation import Installation


def join(installation: Installation, *names: str, language: str = "es", domain: str = "example.org") -> list[int]:
    with installation.database.write() as session:
        made = []
        for name in names:
            keys = seal_identity(installation.keyring, Identity(f"{share_code()}@{domain}", name))
            row = Member(
                address_key=keys[0], domain_key=keys[1], sealed=keys[2], language=language, share_code=share_code()
            )
            session.add(row)
            session.flush()
            made.append(row.id)
        return made


def looked(installation: Installation, words: str, before: int | None = None, **bounds: int) -> Look:
    with installation.database.read() as session:
        return by_name(session, installation.keyring, words, before=before, **bounds)


@pytest.mark.parametrize(
    ("words", "found"),
    [
        ("jose", ["María José Núñez", "JOSÉ"]),
        ("nunez maria", ["María José Núñez"]),
        ("سارة", ["سارة الأمين"]),
        ("strasse", ["Straße"]),
        ("nobody", []),
        ("%", []),
    ],
)
def test_a_name_is_found_by_its_words_without_capitals_and_accents(
    installation: Installation, words: str, found: list[str]
) -> None:
    join(installation, "JOSÉ", "سارة الأمين", "Straße", "", "María José Núñez")
    look = looked(installation, words)
    assert [member.name for member in look.members] == found
    assert (look.looked_at, look.on) == (5, None)


def test_a_look_is_bounded_and_goes_on_where_it_ended(installation: Installation) -> None:
    made = join(installation, *["Ana", "Bo"] * 5)
    first = looked(installation, "ana", most=3)
    assert (first.looked_at, [one.id for one in first.members], first.on) == (3, [made[8]], made[7])
    join(installation, "Ana who came meanwhile")
    with installation.database.write() as session:
        session.execute(delete(Member).where(Member.id == made[7]))
    seen, on = [one.id for one in first.members], first.on
    while on is not None:
        look = looked(installation, "ana", on, most=2, size=1)
        assert look.looked_at <= 2
        seen += [one.id for one in look.members]
        on = look.on
    assert seen == [made[8], made[6], made[4], made[2], made[0]]


def test_filters_narrow_a_look_and_a_page_of_a_domain(installation: Installation) -> None:
    join(installation, "Ana", language="en")
    join(installation, "Ana", "Bo", domain="other.org")
    with installation.database.read() as session:
        keyring = installation.keyring
        assert by_name(session, keyring, "ana", narrowed(language="en")).looked_at == 1
        page = members_page(session, keyring, domain_key=keyring.domain_key("other.org"))
        assert sorted(member.name for member in page.members) == ["Ana", "Bo"]


def test_words_are_folded_alike_however_they_are_composed() -> None:
    assert folded("Jos\u0065\u0301") == folded("JOSÉ") == "jose"
