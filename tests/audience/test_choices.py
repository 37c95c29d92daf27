"""What is chosen for a whole file: duplicates, languages, consent; what other tools export; what is remembered."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select

from mobilizer.audience import importing
from mobilizer.audience.candidates import Candidate, read_row
from mobilizer.audience.choices import Choices
from mobilizer.audience.columns import guess_columns
from mobilizer.audience.exports import EXPORTS, export_of, has_left
from mobilizer.audience.listing import create_list
from mobilizer.audience.lists import Subscription
from mobilizer.audience.members import Member
from mobilizer.audience.rows import Row
from mobilizer.audience.sheet import look
from mobilizer.audience.spoken import language_of
from mobilizer.audience.suppressing import suppress
from mobilizer.audience.suppressions import SuppressedFor
from mobilizer.audience.typos import likely_meant
from mobilizer.installation import Installation
from tests.audience.conftest import CONSENT, Importer, report_of

BEFORE = "email,name,language,country,city\nana@example.org,Ana,es,,Lyon\n"
AFTER = "email,name,language,country,city,street\nana@example.org,Anna,fr,MX,Nice,Rue\n"
EXTRA = {"attributes": {"city": 4}}
# The headers of the five tools' exports, with others that stand among them.
HEADERS = {
    "Mobilizer": "email,name,language,second language,country,time zone,subscribed,tags,joined,consent,wording,"
    "wording language,size",
    "listmonk": "uuid,email,name,attributes,status,created_at,updated_at",
    "Mailchimp": "Email Address,First Name,Last Name,MEMBER_RATING,OPTIN_TIME,OPTIN_IP,CONFIRM_TIME,CONFIRM_IP,"
    "LATITUDE,LONGITUDE,GMTOFF,DSTOFF,TIMEZONE,CC,REGION,LAST_CHANGED,LEID,EUID,NOTES,TAGS",
    "Action Network": "uuid,first_name,last_name,email,Phone Number,can2_user_address,can2_user_city,can2_user_state,"
    "zip_code,can2_user_tags,can2_subscription_status,can2_sms_status",
    "ActionKit": "id,email,first_name,last_name,country,source,subscription_status,lang",
    "Mautic": "id,firstname,lastname,email,points,country,timezone,preferred_locale",
}


def kept(installation: Installation) -> dict[str, object]:
    """What is known of the one member there is."""
    with installation.database.read() as session:
        member = session.scalars(select(Member)).one()
        name = member.identity(installation.keyring).name
        return {"name": name, "language": member.language, "country": member.country, **member.attributes}


@pytest.mark.parametrize(
    ("known", "expected", "verdict"),
    [
        ("keep", {"name": "Ana", "language": "es", "country": None, "city": "Lyon"}, "unchanged"),
        ("fill", {"name": "Ana", "language": "es", "country": "MX", "city": "Lyon", "street": "Rue"}, "updated"),
        ("replace", {"name": "Anna", "language": "fr", "country": "MX", "city": "Nice", "street": "Rue"}, "updated"),
    ],
)
def test_members_we_have_are_kept_filled_or_replaced(
    installation: Installation, bring: Importer, known: str, expected: dict[str, object], verdict: str
) -> None:
    bring(BEFORE, **EXTRA)
    row = bring(AFTER, known=known, attributes={"city": 4, "street": 5})
    assert row.counts == {verdict: 1}
    assert kept(installation) == expected
    assert bring(AFTER, known=known, attributes={"city": 4, "street": 5}).counts == {"unchanged": 1}


def test_a_language_that_the_file_does_not_say_replaces_none(installation: Installation, bring: Importer) -> None:
    bring(BEFORE)
    bring("email,name\nana@example.org,Anna\n", known="replace", default_language="de")
    assert kept(installation) == {"name": "Anna", "language": "es", "country": None}


@pytest.mark.parametrize(
    ("country", "language"), [("MX", "es"), ("BR", "pt"), ("MA", "ar"), ("KE", "sw"), ("CH", "de"), ("XX", None)]
)
def test_a_country_has_the_official_language_that_most_people_speak(country: str, language: str | None) -> None:
    assert language_of(country) == language


def test_a_row_without_a_language_takes_that_of_its_country_if_it_may(
    installation: Installation, bring: Importer
) -> None:
    bring("email,country\nana@example.org,Mexico\n", by_country=True)
    assert kept(installation)["language"] == "es"


@pytest.mark.parametrize(
    ("domain", "meant"),
    [
        ("gamil.com", "gmail.com"),
        ("gmial.com", "gmail.com"),
        ("gmail.co", "gmail.com"),
        ("gmail.con", "gmail.com"),
        ("hotmal.com", "hotmail.com"),
        ("yahooo.com", "yahoo.com"),
        ("outlok.com", "outlook.com"),
        ("gmail.com", None),
        ("ymail.com", None),
        ("mail.com", None),
        ("yahoo.com.br", None),
        ("hotmail.es", None),
        ("example.org", None),
    ],
)
def test_a_slip_of_the_finger_is_seen(domain: str, meant: str | None) -> None:
    assert likely_meant(domain) == meant


@given(st.sampled_from(["gmail.com", "hotmail.com", "outlook.com"]), st.integers(0, 6), st.data())
def test_every_single_slip_before_the_dot_is_seen(domain: str, at: int, data: st.DataObject) -> None:
    letter = data.draw(st.sampled_from("qxzjk"))
    at = min(at, domain.index(".") - 2)
    slips = [
        domain[:at] + domain[at + 1 :],
        domain[:at] + letter + domain[at:],
        domain[:at] + letter + domain[at + 1 :],
        domain[:at] + domain[at : at + 2][::-1] + domain[at + 2 :],
    ]
    for slip in slips:
        assert slip in (domain, "mail.com") or likely_meant(slip) is not None


def test_a_likely_typing_error_goes_in_and_is_named(installation: Installation, bring: Importer) -> None:
    row = bring("email\nana@gamil.com\n")
    assert row.counts == {"new": 1}
    [found] = report_of(installation, row)
    assert found.problems[0].text().startswith("“gamil.com” looks like a typing error: did they mean “gmail.com”?")


def test_a_rehearsal_says_what_becomes_of_each_row(installation: Installation, bring: Importer, friends: int) -> None:
    bring("email,name\nknown@example.org,Known\nblank@example.org,\nleft@example.org,Left\n")
    with installation.database.write() as session:
        for number, (member, _) in enumerate(session.execute(select(Subscription.member_id, Subscription.list_id)), 1):
            if number == 3:
                session.get_one(Subscription, (friends, member)).standing = "unsubscribed"
        suppress(session, installation.keyring.address_key("bounced@example.org"), SuppressedFor.HARD_BOUNCE)
    lines = [
        "known@example.org,Known,es", "blank@example.org,Filled,es", "left@example.org,Left,es",
        "bounced@example.org,B,es", "new@gamil.com,New,es", "NEW@gamil.com,Twice,es",
        "odd@example.org,Odd,klingon", "nobody,No,es",
    ]  # fmt: skip
    with installation.database.write() as session:
        data = ("email,name,language\n" + "\n".join(lines)).encode()
        row = importing.store(session, installation, list_id=friends, filename="m.csv", data=data)
        number = row.id
        told = importing.rehearse(session, installation, row)
    assert told.counts == {
        "unchanged": 1, "updated": 1, "unsubscribed": 1, "suppressed": 1, "new": 1, "duplicate": 1,
        "unknown_language": 1, "invalid": 1,
    }  # fmt: skip
    assert (told.typos, told.good, told.unknown_languages) == (1, 3, {"klingon": 1})
    with installation.database.write() as session:
        row = session.get_one(importing.Import, number)
        row.options = {**row.options, **CONSENT}
        assert importing.start(session, row) == []
    importing.run_import(installation, number)
    with installation.database.read() as session:
        assert session.get_one(importing.Import, number).counts == told.counts, "what was foretold is what came"


@pytest.mark.parametrize("tool", HEADERS)
def test_the_exports_of_other_tools_are_known_by_their_header(tool: str) -> None:
    header = HEADERS[tool].split(",")
    export = export_of(header)
    assert export is not None
    assert export.tool == tool
    columns = guess_columns(header)
    assert columns["email"] == next(at for at, name in enumerate(header) if name.lower().startswith("email"))
    assert importing.column_problems(columns, header) == []
    assert "first_name" in columns or "name" in columns
    assert ("status" in columns) == any(word in name for name in header for word in ("status", "subscribed"))


@pytest.mark.parametrize(
    ("header", "tool"),
    [
        ("Email,First Name,MEMBER_RATING,OPTIN_TIME,LEID,NOTES,TAGS", "Mailchimp"),
        ("first_name,email,can2_subscription_status", "Action Network"),
        ("akid,email,first_name,country,lang", "ActionKit"),
    ],
)
def test_an_export_is_known_by_fewer_columns_too(header: str, tool: str) -> None:
    export = export_of(header.split(","))
    assert export is not None
    assert export.tool == tool
    assert {"email", "first_name"} <= guess_columns(header.split(",")).keys()


@pytest.mark.parametrize(
    "word",
    ["2024-05-01 12:30:00", "5/1/2024", "previous bounce", "previous spam complaint", "Blocked", "never", "cleaned"],
)
def test_who_left_elsewhere_stays_out(word: str) -> None:
    left = has_left(word)
    assert left is not None
    assert left.code == "import.left"


def test_each_export_is_told_from_the_others() -> None:
    assert [export.tool for export in EXPORTS] == list(HEADERS)
    assert export_of(["email", "name", "language"]) is None


def test_who_left_elsewhere_does_not_come_by_a_file(installation: Installation, bring: Importer) -> None:
    lines = [f"u,{name}@example.org,N,{{}},{name},," for name in ("enabled", "blocklisted", "odd")]
    row = bring("\n".join([HEADERS["listmonk"], *lines]))
    assert row.counts == {"new": 1, "left": 1, "invalid": 1}
    codes = [found.problems[0].code for found in report_of(installation, row)]
    assert codes == ["import.left", "import.unknown_status"]


@pytest.mark.parametrize("word", ["Subscribed", "enabled", " ", "TRUE", "activo"])
def test_a_word_for_subscribed_lets_in(word: str) -> None:
    assert has_left(word) is None


def test_columns_and_choices_are_remembered_for_the_list(
    installation: Installation, bring: Importer, friends: int
) -> None:
    odd = "who,what,email,note\nAna,es,ana@example.org,x\n"
    with installation.database.write() as session:
        row = importing.store(session, installation, list_id=friends, filename="a.csv", data=odd.encode())
        sheet = importing.look_again(installation, row)
        chosen = {"name": 0, "language": 1, "email": 2}
        told = {**CONSENT, "known": "replace", "default_language": "pt"}
        assert importing.choose(installation.keyring, row, sheet, chosen, told) == []
        assert importing.start(session, row) == []
    turned = "note,email,what,who,more\ny,bob@example.org,fr,Bob,z\n"
    with installation.database.write() as session:
        other = create_list(session, "Others").id
        again = importing.store(session, installation, list_id=friends, filename="b.csv", data=turned.encode())
        assert again.columns == {"name": 3, "language": 2, "email": 1}
        assert (again.options["known"], again.options["default_language"]) == ("replace", "pt")
        assert "consent_source" not in again.options, "consent is told anew for each file"
        elsewhere = importing.store(session, installation, list_id=other, filename="b.csv", data=turned.encode())
        assert elsewhere.columns == {"email": 1}
        same = "what,email,who,note\nfr,bob@example.org,Bob,z\n"
        alike = importing.store(session, installation, list_id=other, filename="c.csv", data=same.encode())
        assert alike.columns == {"language": 0, "email": 1, "name": 2}, "the same columns mean the same everywhere"
        assert alike.options["default_language"] != "pt"


SPELLINGS = [
    f"{before}{address}{after}"
    for address in ("ana@bücher.example", "ANA@BÜCHER.EXAMPLE", "Ana@xn--bcher-kva.example", "aNa@Bücher.Example")
    for before, after in (
        ("", ""), (" ", " "), ("\t", "\u00a0"), ("\ufeff", ""), ("\u200b", "\u200e"), ("<", ">"), ("Ana Sol <", ">"),
        ('"Sol, Ana" <', ">"), ("mailto:", ""), ("Ana <mailto:", ">"), ("'", "'"), ("“", "”"), ("", ","), ("", "."),
        ("\u3000", "\u2003"), ("(", ")"),
    )
]  # fmt: skip


def test_one_address_in_more_than_forty_spellings_is_one_member(installation: Installation, bring: Importer) -> None:
    assert len(set(SPELLINGS)) == 64
    quoted = ['"' + spelling.replace('"', '""') + '"' for spelling in SPELLINGS]
    row = bring("email,n\n" + "".join(f"{cell},{n}\n" for n, cell in enumerate(quoted)))
    assert row.counts == {"new": 1, "duplicate": 63}
    assert bring("email,n\n" + "".join(f"{cell},{n}\n" for n, cell in enumerate(quoted))).counts == {
        "unchanged": 1,
        "duplicate": 63,
    }


@pytest.mark.parametrize(
    "cell",
    [
        "ana@example.org, bob@example.org",
        "ana@example.org;bob@example.org",
        "a@b.org c@d.org",
        "A <a@b.org>, C <c@d.org>",
    ],
)
def test_two_addresses_in_one_cell_are_two_people_for_two_rows(cell: str) -> None:
    read = read_row(Row(2, [cell]), Choices({"email": 0}, "en"))
    assert not isinstance(read, Candidate)
    assert [problem.code for problem in read.problems] == ["address.several"]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("email,Status\na@example.org,subscribed\nb@example.org,\nc@example.org,unsubscribed\n", {"status": 1}),
        ("Estado,correo\nactivo,a@example.org\nbaja,b@example.org\n", {"status": 0}),
        ("email,status\na@example.org,single\nb@example.org,active\n", {}),
        ("email,status\na@example.org,\n", {}),
        ("email,note\na@example.org,no\n", {}),
        ("email,subscribed,status\na@example.org,yes,active\n", {"status": 1}),
    ],
)
def test_who_left_is_told_by_a_column_called_status_that_says_so(text: str, found: dict[str, int]) -> None:
    looked = look(text.encode())
    guessed = guess_columns(looked.header, looked.sample)
    assert {field: at for field, at in guessed.items() if field == "status"} == found


def test_who_left_elsewhere_does_not_come_in_though_nobody_said_which_column_tells(bring: Importer) -> None:
    row = bring("email,status\nana@example.org,subscribed\nbob@example.org,Unsubscribed\n")
    assert row.counts == {"new": 1, "left": 1}


def test_a_column_that_was_left_out_before_is_left_out_again() -> None:
    assert guess_columns(["email", "status"], [["a@example.org", "yes"]], {"email": "email", "status": ""}) == {
        "email": 0
    }


def test_what_was_chosen_before_goes_before_the_map_of_a_known_export() -> None:
    header = ["uuid", "email", "name", "status", "attributes", "subscription_status", "created_at", "updated_at"]
    usual = guess_columns(header)
    assert {"email", "name"} <= usual.keys()
    known = {"email": "email", "name": "", "created_at": "name"}
    assert guess_columns(header, known=known)["name"] == header.index("created_at")
    assert "name" not in guess_columns(header, known={"name": ""})
