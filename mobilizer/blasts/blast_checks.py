"""Blasts: what is checked of the blast as a whole: colours, captions, who sends and where links lead."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import urlsplit

from sqlalchemy import select
from sqlalchemy.orm import Session

from mobilizer.appeals.appeals import Appeal, Translation
from mobilizer.appeals.brand import ENOUGH, brand_of, judge
from mobilizer.appeals.completeness import complete_languages
from mobilizer.appeals.fields import FIELDS
from mobilizer.appeals.media import is_kept_name
from mobilizer.blasts.blasts import Blast
from mobilizer.blasts.checklist import CheckLine, amber, green, red
from mobilizer.blasts.link_checks import is_local
from mobilizer.blasts.narrowing import narrowing_of
from mobilizer.languages import language
from mobilizer.message.tags import THANKS, tags_in
from mobilizer.problems import N_
from mobilizer.settings import Settings

# Their owners tell the world (DMARC, RFC 7489) to refuse mail in their name that they did not send.
NOT_OURS = frozenset(
    {
        *("gmail.com", "googlemail.com", "yahoo.com", "ymail.com", "aol.com", "outlook.com", "hotmail.com", "live.com"),
        *("msn.com", "icloud.com", "me.com", "mac.com", "proton.me", "protonmail.com", "gmx.com", "gmx.net", "gmx.de"),
        *("web.de", "mail.ru", "yandex.ru", "zoho.com"),
    }
)


def own_page(session: Session, settings: Settings, path: str) -> bool:
    """Whether a path of our own site is a page that anybody may open."""
    match path.strip("/").split("/"):
        case ["w", slug, *_]:
            return session.scalar(select(Appeal.id).where(Appeal.slug == slug)) is not None
        case ["media", name]:
            return is_kept_name(name) and (settings.media / name).is_file()
        case _:
            return False


def colours(session: Session, settings: Settings) -> Iterator[CheckLine]:
    """The organisation's colours as they are drawn, in light and in dark."""
    weak = [one for one in judge(brand_of(session, settings.brand_colour)) if one.used_ratio < ENOUGH]
    if weak:
        message = N_("A colour of yours can hardly be read (contrast %(ratio).1f, at least 4.5). Choose another one.")
        yield red("colours.weak", message, "", "colours", ratio=min(one.used_ratio for one in weak))
    else:
        yield green("colours", N_("Your colours can be read in light and in dark."))


def captions(appeal: Appeal) -> Iterator[CheckLine]:
    """A film of ours without captions, in languages whose source has none either: parity says the rest."""
    sent = [one for one in appeal.translations if one.language in complete_languages(appeal)]
    filmed = [one for one in sent if is_kept_name(one.video or appeal.video)]
    lacking = [one for one in filmed if not one.captions]
    source_has = any(one.captions for one in filmed if one.language == appeal.source_language)
    if lacking and not source_has:
        names = ", ".join(language(one.language).own_name for one in lacking)
        message = N_("The film has no captions here: %(languages)s. Those who cannot hear will miss it.")
        yield amber("captions.missing", message, lacking[0].language, "captions", languages=names)
    elif filmed and not lacking:
        yield green("captions", N_("The film has captions in every language."))


def thanks(blast: Blast) -> Iterator[CheckLine]:
    """A mail that tells what came of sharing, and whether it goes to those who shared."""
    telling = [(one.language, field) for one in blast.appeal.translations if (field := _thanks_in(one))]
    if not telling:
        return
    if narrowing_of(blast.narrowing).thanks:
        yield green("thanks", N_("Each is told how many watched and joined because of them."))
    else:
        message = N_(
            "It tells people what came of their sharing, but is no follow-up to those who shared: it would say of "
            "nobody that friends watched or joined."
        )
        yield amber("thanks.nobody", message, *telling[0])


def _thanks_in(translation: Translation) -> str:
    """The first field that tells what came of sharing, or ""."""
    tags = {field.name: tags_in(getattr(translation, field.name)) for field in FIELDS if field.merge_tags}
    return next((name for name, found in tags.items() if any(tag.name in THANKS for tag in found)), "")


def sender(settings: Settings) -> Iterator[CheckLine]:
    """Whose name mails are sent in, whether they are signed, and whether people can get to where they lead."""
    if settings.postal_address:
        yield green("sender.postal", N_("The footer has your postal address."))
    else:
        message = N_("Your postal address is missing: set MOBILIZER_POSTAL_ADDRESS, the law asks for it.")
        yield red("sender.postal", message)
    yield from _domain(settings)
    host = urlsplit(settings.base_url).hostname or ""
    if is_local(host) and not (settings.loopback_only or is_local(settings.smtp_host)):
        message = N_("Links and pictures lead to %(host)s, where nobody gets to: set MOBILIZER_BASE_URL.")
        yield red("site.local", message, host=host)


def _domain(settings: Settings) -> Iterator[CheckLine]:
    domain = settings.sender_domain.lower()
    if domain in NOT_OURS:
        message = N_("%(domain)s lets nobody else send in its name: mailboxes would refuse this. Use your own.")
        yield red("sender.not_ours", message, domain=domain)
    elif is_local(domain) and not (settings.loopback_only or is_local(settings.smtp_host)):
        message = N_("%(domain)s is no domain that mail can come from: set MOBILIZER_SENDER_ADDRESS.")
        yield red("sender.local", message, domain=domain)
    if list((settings.home / "dkim" / settings.sender_domain).glob("*.pem")):
        yield green("sender.signed", N_("Mails are signed in the name of %(domain)s (DKIM)."), domain=domain)
    else:
        message = N_("Mails are not signed here (DKIM): let the relay sign, or add a key for %(domain)s.")
        yield amber("sender.unsigned", message, domain=settings.sender_domain)
