"""Message: compile. Once per blast and language, an appeal's words and a template become a rendition."""

from __future__ import annotations

import hashlib
import logging
import re
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from threading import Lock

from babel.support import NullTranslations
from jinja2 import BytecodeCache, Environment, FileSystemLoader, StrictUndefined, select_autoescape
from jinja2.bccache import Bucket

from mobilizer.message import markdown
from mobilizer.message.content import Copy, Frame, LinkTarget
from mobilizer.message.context import context, wire_url
from mobilizer.message.marks import Marks
from mobilizer.message.pieces import Line, clean
from mobilizer.message.rendition import Rendition
from mobilizer.message.tags import THANKS, split, tag_problems
from mobilizer.problems import N_, Problem
from mobilizer.tracking import Tracking

WATCH, SHARE = LinkTarget("watch"), LinkTarget("share")
CLIPPED_AT = 102 * 1024  # bytes of HTML; Gmail cuts off what is beyond, the unsubscribe link first

_STAND_IN = "mergetagstandin"
_ONE_AT_A_TIME = Lock()  # the style parser keeps what it is at in its module, and a web server has many threads
_GAPS = re.compile(r"\n{3,}")


class CompileError(ValueError):
    """The words can't be compiled; `problems` says why, field by field."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        super().__init__("; ".join(f"{problem.where}: {problem.text()}" for problem in problems))
        self.problems = tuple(problems)


def templates_folder() -> Path:
    """Where the e-mail templates are: the repository's, or those packed with an installed Mobilizer."""
    package = Path(__file__).parents[1]
    repository = package.parent / "templates" / "email"
    return repository if repository.is_dir() else package / "email_templates"


def links_of(copy: Copy) -> tuple[LinkTarget, ...]:
    """Where the links of a mail lead: the watch page, the share page, then the body's in order of appearance."""
    return (WATCH, SHARE, *(LinkTarget("url", url) for url in _body_links(copy)))


def copy_problems(copy: Copy, links: Sequence[LinkTarget] | None = None) -> list[Problem]:
    """Why a copy would not compile: unknown or broken merge tags, one inside a link, a link nobody counts."""
    problems = [problem for field, text in asdict(copy).items() for problem in tag_problems(text, where=field)]
    problems += [
        Problem(
            "tags.in_link",
            N_("The link “%(url)s” has a merge tag in it. A link is the same for everybody; put the tag in its words."),
            {"url": url.replace(_STAND_IN, "{{ … }}")},
            where="body",
        )
        for url in _body_links(copy)
        if _STAND_IN in url
    ]
    unlisted = [target for target in links_of(copy) if links is not None and target not in links]
    return problems + [
        Problem(
            "links.unlisted", N_("The link “%(url)s” is missing in the blast."), {"url": t.url or t.kind}, where="body"
        )
        for t in unlisted
    ]


def _body_links(copy: Copy) -> tuple[str, ...]:
    # A fallback's own words must not be read as Markdown, neither here nor when the mail is compiled.
    return markdown.links("".join(p if isinstance(p, str) else _STAND_IN for p in split(copy.body)))


def compile_rendition(copy: Copy, frame: Frame, links: Sequence[LinkTarget], phrases: NullTranslations) -> Rendition:
    """The rendition of a copy. Link n of the blast is `links[n - 1]`. Raises CompileError, jinja2.TemplateError.

    `phrases` is the catalog of the member's domain in the copy's language.
    """
    problems = copy_problems(copy, links)
    if problems:
        raise CompileError(problems)
    seed = hashlib.blake2b(repr((copy, frame)).encode(), digest_size=5).hexdigest()
    environment = environment_of(phrases)
    nobody_yet = {tag: environment.get_template(f"_base/no_{tag}.txt").render() for tag in THANKS}
    marks = Marks(seed, {"organisation": frame.organisation}, nobody_yet)
    folder = frame.template
    plain = environment.get_template(f"{folder}/body.txt").render(context(copy, frame, links, marks, "plain"))
    html = environment.get_template(f"{folder}/body.html").render(context(copy, frame, links, marks, "html"))
    subject_of = "_base/proof.txt" if frame.proof else f"{folder}/subject.txt"
    subject = environment.get_template(subject_of).render(context(copy, frame, links, marks, "plain"))
    return Rendition(
        language=copy.language,
        template=frame.template,
        base_url=wire_url(frame.base_url),
        blast_slug=frame.blast_slug,
        sender_name=frame.sender_name,
        sender_address=frame.sender_address,
        reply_to=frame.reply_to,
        return_domain=frame.return_domain,
        subject=marks.line(clean(subject)),
        preheader=marks.line(clean(marks.plain(copy.preheader))),
        greeting=marks.line(clean(marks.plain(copy.greeting or copy.greeting_nameless))),
        greeting_nameless=marks.line(clean(marks.plain(copy.greeting_nameless))),
        text=marks.line(_GAPS.sub("\n\n", plain).strip()),
        html=marks.line(inlined(html)) if frame.tracking is Tracking.OFF else _with_pixel(inlined(html), marks),
        tracking=frame.tracking,
        discreet=frame.discreet,
        leave_by_mail=frame.leave_by_mail,
    )


def inlined(html: str) -> str:
    """HTML with its rules written into each element; media queries and dark rules stay in their own block."""
    # Loaded at first use: it takes as long as half of all else, and a worker that only sends never needs it.
    from premailer import Premailer

    premailer = Premailer(
        html,
        strip_important=False,
        disable_basic_attributes=["width", "height", "align", "bgcolor", "valign"],
        allow_network=False,
        allow_loading_external_files=False,
        cssutils_logging_level=logging.CRITICAL,
        disable_validation=True,
        remove_classes=False,
    )
    with _ONE_AT_A_TIME:
        return str(premailer.transform())


def _with_pixel(html: str, marks: Marks) -> Line:
    head, body, tail = html.rpartition("</body>")
    return marks.line(head + marks.mark("pixel", form="html") + body + tail)


class _Code(BytecodeCache):
    """The code of the templates, which is the same in every language: to work it out takes longer than all else. A
    template that was changed on the disk has another checksum, and is read anew."""

    def __init__(self) -> None:
        self._kept: dict[str, bytes] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        if kept := self._kept.get(bucket.key):
            bucket.bytecode_from_string(kept)

    def dump_bytecode(self, bucket: Bucket) -> None:
        self._kept[bucket.key] = bucket.bytecode_to_string()


_CODE = _Code()


def environment_of(phrases: NullTranslations) -> Environment:
    """The templates, speaking the language of a catalog."""
    environment = Environment(
        loader=FileSystemLoader(templates_folder()),
        bytecode_cache=_CODE,
        autoescape=select_autoescape(("html",), default=False),
        undefined=StrictUndefined,
        extensions=["jinja2.ext.i18n"],
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=False,
    )
    environment.install_gettext_translations(phrases, newstyle=True)  # type: ignore[attr-defined]
    return environment
