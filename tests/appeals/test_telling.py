"""Which language a text seems to be in: what is clearly another one is told, what may well be right never is."""

from __future__ import annotations

import pytest

from mobilizer.appeals.files import read_appeal
from mobilizer.appeals.parity import parity
from mobilizer.appeals.telling import seems
from mobilizer.demo.contents import FOLDER
from tests.appeals.conftest import an_appeal

BODIES = {
    tag: words["body"]
    for path in sorted(FOLDER.glob("*.yaml"))
    for tag, words in read_appeal(path.read_text("utf-8")).translations.items()
}


@pytest.mark.parametrize("tag", BODIES)
def test_a_text_in_its_place_is_left_alone_and_one_in_anothers_is_told(tag: str) -> None:
    assert seems(BODIES[tag], tag) is None
    others = {"en", "es", "pt", "fr", "it", "de", "fa"} - {tag}
    assert {seems(BODIES[tag], other) for other in others} == {tag}
    assert seems(BODIES["pt"], "pt-BR") is None


@pytest.mark.parametrize(
    ("text", "tag"),
    [
        ("Watch the film", "es"),  # a few words say too little
        ("All Out, Coalition for Equality, Stonewall, Human Rights Watch, Amnesty", "es"),  # names are of no language
        ("Ni kamo la reta ni por la tago kaj la nokto de la mondo", "eo"),  # of Esperanto we know no words
        ("Se og hør det, så er du med til at give det videre til en ven", "nb"),  # Danish and Norwegian are alike
        ("{{ first_name }} https://example.org/the/and/of/to/in/is/that", "es"),
    ],
)
def test_what_may_well_be_right_is_never_told(text: str, tag: str) -> None:
    assert seems(text, tag) is None


def test_a_portuguese_text_in_the_place_of_the_spanish_one_is_a_remark() -> None:
    appeal = an_appeal()
    appeal.translations[
        1
    ].share_text = "Dois minutos que não me saem da cabeça: veja o filme e passe para os seus amigos."
    found = [(one.code, one.severity, one.where) for one in parity(appeal)]
    assert ("appeal.wrong_language", "warning", "translations.es.share_text") in found
    assert "Português" in next(one.text() for one in parity(appeal) if one.code == "appeal.wrong_language")
