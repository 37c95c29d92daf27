"""Web: what every page of an appeal shows at its top: its title, its path, its languages and how far each is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from flask import abort, url_for
from sqlalchemy import select
from sqlalchemy.orm import Session

from mobilizer.appeals.appeals import Appeal, Translation
from mobilizer.appeals.completeness import Completeness, completeness
from mobilizer.appeals.editing import appeal_by_slug, translation_in
from mobilizer.appeals.fields import BY_NAME
from mobilizer.appeals.states import State, states
from mobilizer.blasts.blasts import Blast, BlastState
from mobilizer.languages import language, parents
from mobilizer.web.policy import me, permitted
from mobilizer.web.words import _

Step = tuple[str, str | None, bool]
OPEN_STATES = (BlastState.DRAFT, BlastState.READY)


@dataclass(frozen=True, slots=True)
class LanguageLine:
    """One language of an appeal. `missing` holds the labels of empty fields; `mine` says whether I may write it."""

    tag: str
    own_name: str
    direction: str
    done: int
    total: int
    missing: tuple[str, ...]
    source: bool
    mine: bool
    state: State
    href: str = ""
    here: bool = False

    @property
    def complete(self) -> bool:
        """Whether a blast may use it."""
        return not self.missing


@dataclass(frozen=True, slots=True)
class AppealHead:
    """An appeal as its pages show it."""

    slug: str
    title: str
    source_language: str
    languages: tuple[LanguageLine, ...]
    steps: tuple[Step, ...]

    def line(self, tag: str) -> LanguageLine:
        """The line of a language; a page that says nothing is here where the appeal has no such language."""
        return next((line for line in self.languages if line.tag == tag), None) or abort(404)


def known_appeal(session: Session, slug: str) -> Appeal:
    """The appeal of a slug, or the page that says nothing is here."""
    return appeal_by_slug(session, slug) or abort(404)


def writable(session: Session, slug: str, tag: str) -> tuple[Appeal, Translation]:
    """An appeal and one of its translations that I may write; else the page that says why not."""
    appeal = known_appeal(session, slug)
    translation = translation_in(appeal, tag) or abort(404)
    if not may_write(appeal, tag):
        abort(403)
    return appeal, translation


def may_write(appeal: Appeal, tag: str) -> bool:
    """Whether I may write a language: an organizer each, a translator their own ones but not the source text."""
    if permitted("appeals.write"):
        return True
    return permitted("appeals.translate") and tag != appeal.source_language and _mine(tag)


def may_see(appeal: Appeal, tag: str) -> bool:
    """Whether I may see a language: a translator sees their own ones and the source text."""
    if permitted("appeals.write") or not permitted("appeals.translate"):
        return True
    return tag == appeal.source_language or _mine(tag)


def head(session: Session, appeal: Appeal, here: str = "", to: Callable[[str], str] | None = None) -> AppealHead:
    """What the pages of an appeal show. `to` makes a language's address; `here` is the language being looked at."""
    stand, seen = states(appeal), [one for one in completeness(appeal) if may_see(appeal, one.language)]
    lines = tuple(_line(appeal, one, stand[one.language], here, to) for one in seen)
    return AppealHead(appeal.slug, title_of(appeal), appeal.source_language, lines, _steps(session, appeal))


def title_of(appeal: Appeal) -> str:
    """What an appeal is called: its title in the source language, else its slug."""
    source = translation_in(appeal, appeal.source_language)
    return (source.title if source else "") or appeal.slug


def words_url(appeal: Appeal, tag: str, field: str = "") -> str:
    """Where a language of an appeal is written."""
    return url_for("appeals.words", slug=appeal.slug, tag=tag, _anchor=f"f-{field}" if field else None)


def _mine(tag: str) -> bool:
    return bool(set(parents(tag)) & set(me().languages))


def _line(
    appeal: Appeal, written: Completeness, state: State, here: str, to: Callable[[str], str] | None
) -> LanguageLine:
    tag = written.language
    spoken, mine = language(tag), may_write(appeal, tag)
    return LanguageLine(
        tag=tag,
        own_name=spoken.own_name,
        direction=spoken.direction,
        done=written.done,
        total=written.total,
        missing=tuple(_(BY_NAME[name].label) for name in written.missing),
        source=tag == appeal.source_language,
        mine=mine,
        state=state,
        href=to(tag) if to else words_url(appeal, tag) if mine else preview_url(appeal, written),
        here=tag == here,
    )


def preview_url(appeal: Appeal, state: Completeness) -> str:
    """Where a language of an appeal is looked at."""
    return url_for("appeals.preview", slug=appeal.slug, tag=state.language)


def _steps(session: Session, appeal: Appeal) -> tuple[Step, ...]:
    """Write, Translate, Preview, Check, Launch: those that are open to me."""
    states = completeness(appeal)
    source_done = all(state.complete for state in states if state.language == appeal.source_language)
    steps: list[Step] = []
    if permitted("appeals.write"):
        steps.append((_("Write"), words_url(appeal, appeal.source_language), source_done))
    done = len(states) > 1 and all(state.complete for state in states)
    steps.append((_("Translate"), url_for("appeals.languages", slug=appeal.slug), done))
    steps.append((_("Preview"), url_for("appeals.preview_start", slug=appeal.slug), False))
    if permitted("blasts.see"):
        blast = open_blast(session, appeal)
        steps += [(_("Check"), _onward(appeal, blast, "blasts.check"), False)]
        steps += [(_("Launch"), _onward(appeal, blast, "blasts.launch"), False)]
    return tuple(steps)


def open_blast(session: Session, appeal: Appeal) -> str | None:
    """The slug of the newest blast of an appeal that is not launched yet."""
    return session.scalar(
        select(Blast.slug)
        .where(Blast.appeal_id == appeal.id, Blast.state.in_(OPEN_STATES))
        .order_by(Blast.id.desc())
        .limit(1)
    )


def _onward(appeal: Appeal, blast: str | None, endpoint: str) -> str | None:
    if blast is not None:
        return url_for(endpoint, slug=blast)
    return url_for("blasts.new", appeal=appeal.slug) if permitted("blasts.edit") else None
