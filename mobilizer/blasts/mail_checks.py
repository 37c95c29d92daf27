"""Blasts: what is checked of each language's mail as it would be sent. A new check is one line of MAIL_CHECKS."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from email.parser import BytesHeaderParser
from functools import cached_property
from typing import Any

from lxml import html as lxml_html

from mobilizer.appeals.appeals import Translation
from mobilizer.appeals.variants import FIRST, wording
from mobilizer.blasts.checklist import CheckLine, amber, green, red
from mobilizer.blasts.link_checks import body_links
from mobilizer.colours import contrast
from mobilizer.languages import Language
from mobilizer.message.compose import compose, html_of, subject_of, text_of
from mobilizer.message.content import Recipient
from mobilizer.message.rendition import Rendition
from mobilizer.problems import N_
from mobilizer.settings import Settings
from mobilizer.tracking import Tracking

GMAIL_CLIPS_BYTES = 102 * 1024
LEAST_CONTRAST = 4.5  # WCAG 2.2, 1.4.3
SHOUTED_LETTERS = 8
FEW_LETTERS = 120
_STYLE = re.compile(r"(?:^|;)\s*(color|background-color|display)\s*:\s*([^;!]+)")
_COLOUR = re.compile(r"#([0-9a-f]{6}|[0-9a-f]{3})\b")
_REPLY = re.compile(r"(?:re|fwd?|aw|wg|tr|rv|res|enc|rif)\s*:", re.IGNORECASE)


@dataclass(frozen=True)
class Mail:
    """One language's mail in one of its variants, to someone with a very long name; what is costly is made at first
    use."""

    settings: Settings
    translation: Translation
    language: Language
    rendition: Rendition
    recipient: Recipient
    now: datetime
    own_page: Callable[[str], bool]
    variant: str = FIRST

    @property
    def tag(self) -> str:
        """The language's tag."""
        return self.language.tag

    @property
    def name(self) -> str:
        """The language's own name, and the variant where it is not the first wording."""
        own = self.language.own_name
        return own if self.variant == FIRST else f"{own} ({self.variant.upper()})"

    @property
    def subject_field(self) -> str:
        """The field that the subject is written in."""
        own = f"subject_{self.variant}"
        return own if getattr(self.translation, own, "") else "subject"

    @property
    def body(self) -> str:
        """The text as it is written."""
        return wording(self.translation, self.variant)[1]

    @cached_property
    def html(self) -> str:
        """The HTML part."""
        return html_of(self.rendition, self.recipient)

    @cached_property
    def text(self) -> str:
        """The plain-text part."""
        return text_of(self.rendition, self.recipient)

    @cached_property
    def page(self) -> Any:
        """The HTML part as a tree."""
        return lxml_html.document_fromstring(self.html)

    @cached_property
    def headers(self) -> Any:
        """The headers of the very bytes that a relay would get."""
        return BytesHeaderParser().parsebytes(compose(self.rendition, self.recipient, self.now, None))


@dataclass(frozen=True, slots=True)
class MailCheck:
    """One thing to look at in each mail. `fine` is said once, where no language has anything to mend."""

    code: str
    fine: str
    look: Callable[[Mail], Iterable[CheckLine]]


def check_mails(mails: Iterable[Mail]) -> Iterator[CheckLine]:
    """Every check of every mail: what is wrong a language, or one green line for all of them."""
    made = list(mails)
    for one in MAIL_CHECKS if made else ():
        found = [line for mail in made for line in one.look(mail)]
        yield from found or [green(one.code, one.fine)]


def _size(mail: Mail) -> Iterator[CheckLine]:
    octets = len(mail.html.encode())
    if octets >= GMAIL_CLIPS_BYTES:
        message = N_("%(language)s is %(size).0f KB; Gmail cuts mails off at 102 KB. Shorten the text.")
        yield red("size.clipped", message, mail.tag, "body", language=mail.name, size=octets / 1024)


def _text_part(mail: Mail) -> Iterator[CheckLine]:
    leads = f"{mail.rendition.base_url}/w/" if mail.rendition.tracking is Tracking.OFF else mail.recipient.tokens.click
    if leads not in mail.text or (len(mail.text.split()) < 10 and not mail.rendition.discreet):
        message = N_("%(language)s has next to nothing in its text part, for programs that show no HTML.")
        yield red("text.empty", message, mail.tag, "body", language=mail.name)


def _pictures(mail: Mail) -> Iterator[CheckLine]:
    pixel = mail.recipient.tokens.open
    if any(pixel not in image.get("src", "") and not image.get("alt", "").strip() for image in mail.page.iter("img")):
        message = N_("%(language)s has a picture that says nothing where pictures are off. Write what it shows.")
        yield red("alt.missing", message, mail.tag, "poster_alt", language=mail.name)


def _marked(mail: Mail) -> Iterator[CheckLine]:
    if (mail.page.get("lang"), mail.page.get("dir")) != (mail.tag, mail.language.direction):
        message = N_("The mail in %(language)s is not marked as its language and direction: mend its template.")
        yield red("marked.wrong", message, mail.tag, language=mail.name)


def _unsubscribe(mail: Mail) -> Iterator[CheckLine]:
    leave = f"/u/{mail.recipient.tokens.unsubscribe}"
    if leave not in mail.html or leave not in mail.text:
        yield red("unsubscribe.missing", N_("%(language)s has no unsubscribe link."), mail.tag, language=mail.name)


def _one_click(mail: Mail) -> Iterator[CheckLine]:
    """RFC 8058: an address for the one click, and the word that a POST is meant."""
    leave, post = mail.headers.get("List-Unsubscribe", ""), mail.headers.get("List-Unsubscribe-Post", "")
    if f"/u/{mail.recipient.tokens.unsubscribe}>" not in leave or post != "List-Unsubscribe=One-Click":
        message = N_("%(language)s lacks the header that lets people unsubscribe in one click.")
        yield red("one_click.missing", message, mail.tag, language=mail.name)


def _postal(mail: Mail) -> Iterator[CheckLine]:
    said = " ".join(mail.settings.postal_address.split())
    shown = (" ".join(mail.page.text_content().split()), " ".join(mail.text.split()))
    if said and not mail.rendition.discreet and any(said not in one for one in shown):
        message = N_("%(language)s does not show your postal address: mend its template.")
        yield red("postal.missing", message, mail.tag, language=mail.name)


def _contrast(mail: Mail) -> Iterator[CheckLine]:
    worst = min(contrasts(mail.page.body, "#000000", "#ffffff"), default=(21.0, ""))
    if worst[0] < LEAST_CONTRAST:
        message = N_(
            "In %(language)s “%(words)s” can hardly be read (contrast %(ratio).1f, at least 4.5). "
            "Choose another colour."
        )
        yield red("contrast.low", message, mail.tag, "colours", language=mail.name, words=worst[1], ratio=worst[0])


def contrasts(element: Any, ink: str, ground: str) -> Iterator[tuple[float, str]]:
    """(contrast, words) of every text below an element that is drawn in `ink` on `ground` by what surrounds it."""
    said = (
        dict(_STYLE.findall(element.get("style", "").lower())) if isinstance(element.tag, str) else {"display": "none"}
    )
    if said.get("display", "").strip() == "none":  # a remark, or what is hidden
        return
    ink, ground = _colour(said.get("color"), ink), _colour(said.get("background-color"), ground)
    words = [element.text or "", *((child.tail or "") for child in element)]
    shown = " ".join(" ".join(words).split())
    if shown:
        yield contrast(ink, ground), shown[:40]
    for child in element:
        yield from contrasts(child, ink, ground)


def _colour(said: str | None, else_: str) -> str:
    found = _COLOUR.search(said or "")
    if not found:
        return else_
    digits = found[1]
    return "#" + (digits if len(digits) == 6 else "".join(digit * 2 for digit in digits))


def _spam_traits(mail: Mail) -> Iterator[CheckLine]:
    """What filters have learned from those who shout and pretend."""
    subject = subject_of(mail.rendition, mail.recipient)
    cased = [letter for letter in subject if letter.lower() != letter.upper()]
    if len(cased) >= SHOUTED_LETTERS and all(letter.isupper() for letter in cased):
        message = N_("The subject in %(language)s is all in capitals: filters take that for spam.")
        yield amber("spam.capitals", message, mail.tag, mail.subject_field, language=mail.name)
    if re.search(r"[!?！？؟]{2}", subject) or sum(subject.count(mark) for mark in "!！") > 2:
        message = N_("The subject in %(language)s has many exclamation or question marks: one is enough.")
        yield amber("spam.marks", message, mail.tag, mail.subject_field, language=mail.name)
    if _REPLY.match(subject):
        message = N_("The subject in %(language)s pretends to be a reply: filters and people mind.")
        yield amber("spam.reply", message, mail.tag, mail.subject_field, language=mail.name)
    if len(mail.body) < FEW_LETTERS and mail.rendition.template == "video-appeal":
        message = N_("%(language)s is little more than a picture: a few more words get through more filters.")
        yield amber("spam.few_words", message, mail.tag, "body", language=mail.name)


def _links(mail: Mail) -> Iterator[CheckLine]:
    for code, severe, message, url in body_links(mail.body, mail.settings.base_url, mail.own_page):
        yield (red if severe else amber)(code, message, mail.tag, "body", language=mail.name, url=url[:80])


MAIL_CHECKS = (
    MailCheck("size", N_("Every mail is smaller than 102 KB, where Gmail would cut it off."), _size),
    MailCheck("text", N_("Every mail has a text part that says the same."), _text_part),
    MailCheck("alt", N_("Every picture says what it shows where pictures are off."), _pictures),
    MailCheck("contrast", N_("All words stand out from their ground (WCAG 2.2)."), _contrast),
    MailCheck("marked", N_("Every mail is marked as its language and its direction."), _marked),
    MailCheck("links", N_("Every link is well formed and leads to where people can go."), _links),
    MailCheck("unsubscribe", N_("Every mail has its unsubscribe link, in both parts."), _unsubscribe),
    MailCheck("one_click", N_("Every mail has the header to unsubscribe in one click (RFC 8058)."), _one_click),
    MailCheck("postal", N_("Every mail shows your postal address."), _postal),
    MailCheck("spam", N_("No mail has what filters take for spam."), _spam_traits),
)
