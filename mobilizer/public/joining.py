"""Public: joining. A list's form, the answer that is the same for everyone, and the page that a letter leads to.

The form carries a stamp, signed: when it was shown, in which language, with which wording. A program that posts at
once, or a form pasted into somebody else's site, has none that is good; then the page shows the form, filled in, and
asks for one more press of the button. So what is kept as agreed to is what was read, whatever became of it meanwhile.

A discreet list has its form on the discreet site alone, at an address that does not say which it is, and under a cover:
what is agreed to is shown at a press, to the letter, and nobody agrees to what they have not seen.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from urllib.parse import urlencode

from flask import Response, request, url_for
from itsdangerous import BadSignature, TimestampSigner
from sqlalchemy import ColumnElement, false, or_, select, true
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response as Answer

from mobilizer.appeals.appeals import Appeal, Translation
from mobilizer.audience.addresses import EXAMPLE, BadAddress, normalise
from mobilizer.audience.candidates import MAX_NAME
from mobilizer.audience.lists import MemberList
from mobilizer.audience.members import Identity, Member
from mobilizer.audience.sign_ups import SignUp
from mobilizer.blasts.blasts import Blast, BlastList
from mobilizer.catalogs import phrases
from mobilizer.db import clock
from mobilizer.engagement.attribution import Sharer, sharer
from mobilizer.http import installation, on_discreet_site, speak, words
from mobilizer.jobs import Work, enqueue
from mobilizer.keys import Purpose
from mobilizer.languages import Language, isolated, language
from mobilizer.limits import within
from mobilizer.problems import N_
from mobilizer.public.answers import at, elsewhere, framed, missing, page
from mobilizer.public.beacons import stamp
from mobilizer.public.covers import SHOW, cover_of, covered, is_covered, is_shown
from mobilizer.public.film import film, join_text, shared, tags_of
from mobilizer.public.sharing import CHANNELS, is_code, sharing
from mobilizer.public.tongues import (
    MEMBER,
    asked_language,
    browser_language,
    first_of,
    nearest,
    spelled,
    visitor_language,
)
from mobilizer.signups import asking, confirming, letters

# A person reads before they write; a page that lay open for half a day is shown anew.
SOONEST_SECONDS = 2
LATEST_SECONDS = 12 * 3600
# Of one network: a rally on one wireless is more than one person.
BY_NETWORK = ("30 per 10 minutes", "200 per day")

# What people agree to; kept with them to the letter, in the language they read it in.
WORDING = N_("Yes, send me the mails of “%(list)s” by %(organisation)s. I can leave at any time with one click.")


@dataclass(frozen=True, slots=True)
class Way:
    """How a visitor came to a form: an appeal's slug, a share code and the channel of its link, each perhaps empty."""

    appeal: str
    code: str
    channel: str


def form(slug: str) -> Answer:
    """A list's form, empty."""
    with installation().database.read() as session:
        joined = _open_list(session, slug)
        if joined is None:
            return missing()
        if is_covered():
            return page("join_cover.html", visitor_language(), show=SHOW, switch=_forms(joined))
        return _form(session, joined)


def ask(slug: str) -> Answer:
    """Take a filled form: a letter goes to the address, whoever it belongs to. The answer never tells."""
    here = installation()
    with here.database.read() as session:
        joined = _open_list(session, slug)
        if joined is None:
            return missing()
        if is_shown():
            return _form(session, joined)
        if request.form.get("website"):  # no person sees this field
            return _sent(slug)
        try:
            address = normalise(request.form.get("email", "")[:400])
        except BadAddress:
            wrong = words_of_page(N_("This does not look like an e-mail address. Write it like %(example)s."))
            return _form(session, joined, wrong % {"example": EXAMPLE}, status=422)
        read_in = _stamped(joined)
        if not read_in:
            return _form(session, joined, again=True)
        owner = _owner(session)
        tag = _wanted(session)
    if not within(*BY_NETWORK):
        return page("join_later.html", read_in, 429)
    name = " ".join(request.form.get("name", "").split())[:MAX_NAME]
    wish = asking.Wish(
        list_id=joined.id,
        identity=Identity(address, name),
        language=tag,
        wording=_wording(joined, read_in),
        wording_language=read_in,
        via=owner.member,
        blast=owner.blast,
        channel=_way().channel,
    )
    with here.database.write() as session:
        number = asking.ask(session, here.keyring, wish)
    enqueue(here, Work.SIGN_UP, number)  # where the queue is away, the reconciler finds it
    return _sent(slug)


def sent(slug: str) -> Answer:
    """Look into your letter-box."""
    with installation().database.read() as session:
        joined = _open_list(session, slug)
        if joined is None:
            return missing()
        sender = isolated(installation().settings.discreet_sender_address)
        return page("join_sent.html", visitor_language(), sender=sender, days=letters.DAYS)


def confirm_page(token: str) -> Answer:
    """Where the letter leads: one button. Programs that look at links press none."""
    here = installation()
    with here.database.read() as session:
        wish = _wish(session, token)
        if wish is None:
            return _over()
        tag = _tag_of(wish)
        if wish.confirmed_at is not None:
            return _thanks(session, wish)
        joined = session.get_one(MemberList, wish.list_id)
        if not joined.open:
            return _closed(wish, joined)
        if is_covered():
            return page("join_confirm_cover.html", tag, show=SHOW)
        return page("join_confirm.html", tag, list=joined.name, wish=wish, token=token, asked=asked_language())


def confirm(token: str) -> Answer:
    """The button: now they are a member, and their page says so. Pressed twice, it says so twice."""
    if is_shown():
        return confirm_page(token)
    here = installation()
    with here.database.write() as session:
        wish = _wish(session, token)
        if wish is None:
            return _over()
        wanted = session.get_one(MemberList, wish.list_id)
        if wish.confirmed_at is None and not wanted.open:
            return _closed(wish, wanted)
        joined = confirming.confirm(session, here.keyring, wish.id)
        if joined is None:
            return _over()
        number = wish.id
    if joined.first:
        enqueue(here, Work.SIGN_UP, number)
    return elsewhere(at("confirm_page", token))


def joinable(session: Session, appeal: Appeal) -> MemberList | None:
    """The list that those who see an appeal's film may join here: one that it went to and that is open."""
    return session.scalars(
        select(MemberList)
        .join(BlastList, BlastList.list_id == MemberList.id)
        .join(Blast, Blast.id == BlastList.blast_id)
        .where(Blast.appeal_id == appeal.id, BlastList.included, *_open_here())
        .order_by(Blast.id.desc(), MemberList.id)
        .limit(1)
    ).one_or_none()


def form_page(joined: MemberList, tag: str, appeal: str = "", code: str = "", channel: str = "") -> str:
    """The address of a list's form in a language, for who came by an appeal and perhaps by somebody's share code."""
    said = {name: value for name, value in {"in": tag, "of": appeal, "by": code, "c": channel}.items() if value}
    return f"{url_for('public.framed_join' if framed() else 'public.join', slug=_name(joined))}?{urlencode(said)}"


def words_of_page(phrase: str) -> str:
    """A phrase in the language of the page that is about to be shown."""
    speak("member", visitor_language())
    return words().gettext(phrase)


def _open_list(session: Session, slug: str) -> MemberList | None:
    name = MemberList.code if on_discreet_site() else MemberList.slug
    return session.scalars(select(MemberList).where(name == slug, *_open_here())).one_or_none()


def _name(joined: MemberList) -> str:
    """What a list goes by in addresses of this site."""
    return joined.code if on_discreet_site() else joined.slug


def _open_here() -> tuple[ColumnElement[bool], ...]:
    """Which lists can be joined on this site: discreet ones on the discreet site, once it can write to who asks."""
    if not on_discreet_site():
        return MemberList.open.is_(True), MemberList.discreet.is_(False)
    ready = true() if installation().settings.has_discreet_site else false()
    return MemberList.open.is_(True), MemberList.discreet.is_(True), ready


def _way() -> Way:
    code = request.values.get("by", "")
    channel = request.values.get("c", "")
    return Way(
        request.values.get("of", "")[:100],
        code if is_code(code) else "",
        channel if channel in CHANNELS else "",
    )


def _owner(session: Session) -> Sharer:
    """Whose share link brought the visitor, and the blast it belongs to."""
    way = _way()
    appeal = shared(session, way.appeal) if way.appeal and way.code else None
    return sharer(session, way.code, appeal.id) if appeal else Sharer()


def _offered(session: Session) -> list[Language]:
    tags = {tag for tag in (*MEMBER, *session.scalars(select(Translation.language).distinct())) if spelled(tag)}
    return sorted((language(tag) for tag in tags), key=lambda at: at.own_name.casefold())


def _wanted(session: Session) -> str:
    """The language of the mails: what was chosen, else the page's. Never guessed from an address."""
    chosen = request.form.get("language", "")
    return chosen if chosen in {at.tag for at in _offered(session)} else visitor_language()


def _wording(joined: MemberList, tag: str) -> str:
    organisation = installation().settings.organisation
    named = {"list": isolated(joined.name), "organisation": isolated(organisation)}
    return phrases("member", tag).gettext(WORDING) % named


def _signer() -> TimestampSigner:
    return TimestampSigner(installation().keyring.cookie_secret, salt="sign-up, as it was read")


def _stamp(joined: MemberList, tag: str) -> str:
    return _signer().sign(_read(joined, tag)).decode()


def _read(joined: MemberList, tag: str) -> str:
    """What somebody read: which list's wording, in which language, to the letter."""
    return f"{joined.id} {tag} {hashlib.blake2b(_wording(joined, tag).encode(), digest_size=12).hexdigest()}"


def _stamped(joined: MemberList) -> str:
    """The language in which a person had the wording before them as it is now; empty where nobody can have."""
    signer = _signer()
    try:
        said, at = signer.unsign(request.form.get("stamp", ""), max_age=LATEST_SECONDS, return_timestamp=True)
    except BadSignature:
        return ""
    age = signer.get_timestamp() - int(at.timestamp())
    tag = nearest(said.decode().split()[1], MEMBER)
    return tag if said.decode() == _read(joined, tag) and age >= SOONEST_SECONDS else ""


def _form(
    session: Session, joined: MemberList, problem: str = "", *, again: bool = False, status: int = 200
) -> Response:
    tag, way = visitor_language(), _way()
    offered = _offered(session)
    given = request.form if request.method == "POST" else {}
    preset = given.get("language") or nearest(request.args.get("in", "")[:35], [at.tag for at in offered])
    return page(
        "join.html",
        tag,
        status,
        list=joined,
        wording=_wording(joined, tag),
        stamp=_stamp(joined, tag),
        way=way,
        why=_why(session, way, tag),
        given=given,
        offered=offered,
        preset=preset or browser_language([at.tag for at in offered]),
        problem=problem,
        again=again,
        action=_address("ask_framed" if framed() else "ask_to_join", _name(joined), asked_language()),
        switch=_forms(joined),
    )


def _forms(joined: MemberList) -> list[tuple[Language, str]]:
    """Each language of the form with its address, for who came the same way."""
    way = _way()
    return [(language(at), form_page(joined, at, way.appeal, way.code, way.channel)) for at in MEMBER]


def _why(session: Session, way: Way, tag: str) -> str:
    """What the appeal that brought the visitor says about joining."""
    appeal = shared(session, way.appeal) if way.appeal else None
    return join_text(appeal, tag) if appeal else ""


def _sent(slug: str) -> Answer:
    return elsewhere(_address("framed_sent" if framed() else "join_sent", slug, visitor_language()))


def _address(endpoint: str, slug: str, tag: str) -> str:
    address = url_for(f"public.{endpoint}", slug=slug)
    return f"{address}?in={tag}" if tag else address


def _wish(session: Session, token: str) -> SignUp | None:
    ticket = installation().keyring.read_token(Purpose.CONFIRM, token)
    if ticket is None:
        return None
    good = or_(SignUp.confirmed_at.is_not(None), SignUp.asked_at > clock(-letters.DAYS * 86_400))
    return session.scalars(select(SignUp).where(SignUp.id == ticket.member, good)).one_or_none()


def _tag_of(wish: SignUp) -> str:
    return asked_language() or first_of([wish.language, wish.wording_language], MEMBER) or browser_language(MEMBER)


def _over() -> Response:
    return page("join_over.html", visitor_language(), 404, days=letters.DAYS)


def _closed(wish: SignUp, wanted: MemberList) -> Response:
    """The list was closed between the wish and its confirmation: nobody joins it."""
    return page("join_closed.html", _tag_of(wish), 410, list=wanted.name)


def _thanks(session: Session, wish: SignUp) -> Response:
    """Welcome, and the film to pass on at once."""
    tag = _tag_of(wish)
    speak("member", tag)
    name = session.get_one(MemberList, wish.list_id).name
    discreet = on_discreet_site()
    slug = letters.film_of(session, wish, discreet=discreet)
    appeal = shared(session, slug) if slug else None
    if appeal is None or not tags_of(appeal):
        return page("joined.html", tag, list=name, sharing=None)
    tags, code = tags_of(appeal), session.get_one(Member, wish.member_id).share_code
    shown = film(appeal, first_of([wish.language], tags) or browser_language(tags, appeal.source_language))
    slug, spoken = (appeal.code if discreet else appeal.slug), shown.language.tag
    passed_on = covered(shown, cover_of(appeal, spoken)) if discreet else shown
    return page(
        "joined.html",
        tag,
        list=name,
        film=passed_on,
        sharing=sharing(passed_on, slug, code, discreet=discreet),
        here=url_for("public.watched", slug=slug, tag=spoken, code=code),
        own="1",
        stamp=stamp(slug, spoken, code),
        watch=url_for("public.watch", slug=slug, tag=spoken, code=code, own="1"),
    )
