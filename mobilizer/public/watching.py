"""Public: the watch page, and the way in for friends. The address names appeal, language and share code; no person.

Who watches? A visitor with `own` came by their own mail: a watch is theirs. Without it they came by that member's
share link, or by an address passed on: a watch is a friend's, credited `via` the owner of the code. The page's
script takes `own` out of the address bar at once. It is a claim of the browser, good for counting, for nothing else.
A page that was opened by a share link asks the other pages in its browser whose they are: where the owner's own page is
among them it says so (`own`), and what is done on it is theirs, too.
"""

from __future__ import annotations

from flask import Response, request, url_for
from werkzeug.wrappers import Response as Answer

from mobilizer.engagement.attribution import Sharer, sharer
from mobilizer.engagement.events import BUTTON, POINTS, WORD, EventKind
from mobilizer.http import installation, on_discreet_site, speak
from mobilizer.languages import language
from mobilizer.public.answers import POLICY, elsewhere, later, missing, page
from mobilizer.public.beacons import counts, stamp
from mobilizer.public.clicks import AWAY
from mobilizer.public.covers import cover_of, covered
from mobilizer.public.film import film, shown, tags_of
from mobilizer.public.joining import form_page, joinable
from mobilizer.public.noting import note
from mobilizer.public.sharing import CHANNELS, is_code, sharing
from mobilizer.public.tongues import MEMBER, browser_language, first_of, nearest

# What the page may say happened, and the kind of event it is.
DONE = dict.fromkeys((*POINTS, BUTTON, WORD), EventKind.WATCH) | {"share": EventKind.SHARE, "own": EventKind.VISIT}

PLAY = "play"  # what the button of a cover asks for


def watch(slug: str, tag: str, code: str = "", *, played: bool = False) -> Answer:
    """The watch page, the same for everyone with this address but for its stamp: looking changes nothing.

    Where a discreet address leads, it is a cover until it is `played`.
    """
    with installation().database.read() as session:
        appeal = shown(session, slug)
        tags = tags_of(appeal) if appeal else ()
        if appeal is None or not tags or (code and not is_code(code)):
            return missing()
        best = nearest(tag, tags) or browser_language(tags, appeal.source_language)
        if best != tag:
            return elsewhere(_watch_page(slug, best, code), 302)
        own_words = first_of([best], MEMBER)
        spoken = own_words or browser_language(MEMBER)
        speak("member", spoken)
        shown_film = film(appeal, best)
        cover = cover_of(appeal, best) if slug == appeal.code else None
        open_list = None if cover and not on_discreet_site() else joinable(session, appeal)
    thanked = "thanks" in request.args or request.form.get("did") in (BUTTON, WORD)
    switch = [(language(at), _watch_page(slug, at, code, thanked=thanked)) for at in tags]
    here = url_for("public.watched", slug=slug, tag=best, code=code or None, c=_asked_channel() or None)
    if cover and not played:
        response = page("cover.html", spoken, cover=cover, switch=switch, here=here, own=_own())
        response.headers["Vary"] = "Accept-Language"
        return response
    passed_on = covered(shown_film, cover) if cover else shown_film
    response = page(
        "watch.html",
        spoken,
        film=shown_film,
        passed_on=passed_on,
        cover=cover,
        sharing=sharing(passed_on, slug, code, discreet=bool(cover)),
        switch=switch,
        here=here,
        stamp=stamp(slug, best, code),
        own=_own(),
        join=open_list and form_page(open_list, best, slug, code, _asked_channel()),
        thanked=thanked,
    )
    if shown_film.player:
        response.headers["Content-Security-Policy"] = f"{POLICY}; frame-src {shown_film.player.site}"
    if not own_words:
        response.headers["Vary"] = "Accept-Language"
    if not cover:
        response.headers["Cache-Control"] = "private, max-age=60"  # to each their own stamp
    return response


def watched(slug: str, tag: str, code: str = "") -> Answer:
    """Note that someone watched or shared: from the page's script (answered 204) or from its button (303)."""
    did = request.form.get("did", "")
    if did == PLAY:
        return watch(slug, tag, code, played=True)
    with installation().database.read() as session:
        appeal = shown(session, slug)
        # The language is counted: only one that there is.
        if appeal is None or tag not in tags_of(appeal) or did not in DONE or (code and not is_code(code)):
            return missing()
        owner = sharer(session, code, appeal.id) if code else Sharer()
        discreet = slug == appeal.code
    channel = _channel(did)
    if counts(f"{did} {channel}", slug, tag, code) and (owner.member or did != "own"):
        who = {"member": owner.member} if _own() or did == "own" else {"via": owner.member}
        note(DONE[did], blast=owner.blast, language=tag, channel=channel, **who)
    if "beacon" in request.form:
        return Response(status=204)
    if discreet:  # no address shows the film by itself
        return watch(slug, tag, code, played=True)
    return elsewhere(_watch_page(slug, tag, code, thanked=True, part="share"))


def share(**_named: str) -> Answer:
    """The share link that nobody ahead could follow (front): its film is not there, or can't be looked up for now."""
    return later() if AWAY in request.environ else missing()


def _watch_page(slug: str, tag: str, code: str, *, thanked: bool = False, part: str | None = None) -> str:
    """The page in a language, for the same visitor: whose it is, and the channel that led here, stay in its address."""
    return url_for(
        "public.watch",
        slug=slug,
        tag=tag,
        code=code or None,
        own=_own(),
        c=_asked_channel() or None,
        thanks="1" if thanked else None,
        _anchor=part,
    )


def _own() -> str | None:
    return "1" if request.values.get("own") == "1" else None


def _asked_channel() -> str:
    """The channel that a share link came by, as its address says."""
    asked = request.args.get("c", "")
    return asked if asked in CHANNELS else ""


def _channel(did: str) -> str:
    """How they did it: the button or the player for a watch, the channel for a share, or for their own visit."""
    if DONE[did] == EventKind.WATCH:
        return did
    asked = request.form.get("channel", "")
    return asked if asked in CHANNELS else ""
