"""Appeals: do all translations say the same? Placeholders, links, video, and whether each is in its own language."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from urllib.parse import urlsplit

from mobilizer.appeals.appeals import Appeal, Translation
from mobilizer.appeals.completeness import of_translation
from mobilizer.appeals.editing import check_values, translation_in
from mobilizer.appeals.fields import FIELDS
from mobilizer.appeals.scripts import foreign_script
from mobilizer.appeals.telling import seems
from mobilizer.appeals.variants import variants_of, wording
from mobilizer.languages import language
from mobilizer.message.markdown import links
from mobilizer.message.tags import tags_in
from mobilizer.message.templates import template_named
from mobilizer.problems import N_, Problem, Severity

LINKED = ("body", *(field.name for field in FIELDS if field.variant and field.multiline))
PERSON = frozenset({"name", "first_name"})


def parity(appeal: Appeal) -> list[Problem]:
    """Where a translation differs from the source text in what must be the same in every language, or seems to be in
    another language than it should.

    `where` is `translations.<tag>.<field>`, or `poster` and `video` for the appeal as a whole. Errors block a launch.
    A field that is still empty is completeness's matter and is not reported here.
    """
    problems = _media_problems(appeal)
    for translation in appeal.translations:
        problems += parity_of(appeal, translation)
    return problems


def parity_of(appeal: Appeal, translation: Translation) -> list[Problem]:
    """The same for one translation."""
    problems = _own_problems(translation) + _alike(translation)
    source = translation_in(appeal, appeal.source_language)
    if source is not None and translation is not source:
        problems += _against(source, translation)
    return problems


def _media_problems(appeal: Appeal) -> list[Problem]:
    problems = []
    template = template_named(appeal.template)
    needs = template.needs if template else ("poster", "video")
    # What is not complete is not sent: only where nothing is complete yet, everything is looked at.
    told = [t for t in appeal.translations if of_translation(t).complete] or appeal.translations
    for kind, none, some in (
        (
            "poster",
            N_("There is no poster. Upload a still of the film: it is what people click on."),
            N_("%(languages)s has no poster of its own, and the appeal has none either. Upload one for all."),
        ),
        (
            "video",
            N_("There is no video. Upload the film, or members will find an empty watch page."),
            N_("%(languages)s has no video of its own, and the appeal has none either. Upload one for all."),
        ),
    ):
        lacking = [t for t in told if kind in needs and not (getattr(appeal, kind) or getattr(t, kind))]
        names = ", ".join(language(t.language).own_name for t in lacking)
        if lacking and len(lacking) == len(told):
            problems.append(Problem(f"appeal.no_{kind}", none, where=kind))
        elif lacking:
            problems.append(Problem(f"appeal.no_{kind}_in", some, {"languages": names}, where=kind))
    return problems


def _own_problems(translation: Translation) -> list[Problem]:
    """What can be seen without the source: broken merge tags, words in another script."""
    tag, found = translation.language, []
    for problem in check_values({field.name: getattr(translation, field.name) for field in FIELDS}):
        where = f"translations.{tag}.{problem.where}"
        found.append(Problem(problem.code, problem.message, problem.params, problem.severity, where))
    for field in FIELDS:
        if foreign_script(getattr(translation, field.name), tag):
            message = N_("This text is in letters that %(language)s is not written in. Is it in its place?")
            params = {"language": language(tag).own_name}
            found.append(_at(translation, field.name, "appeal.wrong_script", message, params))
        elif other := seems(getattr(translation, field.name), tag):
            message = N_("This looks like %(seems)s, not like %(language)s. Is it in its place?")
            params = {"seems": language(other).own_name, "language": language(tag).own_name}
            found.append(_at(translation, field.name, "appeal.wrong_language", message, params, "warning"))
    return found


def _alike(translation: Translation) -> list[Problem]:
    """Variants that say what an earlier one says: there is nothing to choose between them."""
    problems, said = [], dict[tuple[str, str], str]()
    for variant in variants_of(translation):
        earlier = said.setdefault(wording(translation, variant), variant)
        if earlier != variant:
            message = N_("Variants %(one)s and %(other)s say the same. Write another one, or take this one out.")
            params = {"one": earlier.upper(), "other": variant.upper()}
            field = "subject" if getattr(translation, f"subject_{variant}") else "opening"
            problems.append(_at(translation, f"{field}_{variant}", "appeal.same_variant", message, params))
    return problems


def _against(source: Translation, translation: Translation) -> list[Problem]:
    problems = _tag_differences(source, translation)
    for name in LINKED:
        problems += _link_differences(source, translation, name)
    for name, severity in (("body", "error"), ("subject", "warning")):
        words = getattr(translation, name)
        if words and words == getattr(source, name):
            message = N_("The text is the same as in %(source)s. Translate it, or take the language out.")
            params = {"source": language(source.language).own_name}
            strength: Severity = "error" if severity == "error" else "warning"
            problems.append(_at(translation, name, "appeal.untranslated", message, params, strength))
    if source.captions and not translation.captions:
        message = N_("There are captions in %(source)s but none here. Those who cannot hear will miss the film.")
        params = {"source": language(source.language).own_name}
        problems.append(_at(translation, "captions", "appeal.no_captions", message, params, "warning"))
    return problems


def _tag_differences(source: Translation, translation: Translation) -> list[Problem]:
    problems = []
    for field in FIELDS:
        theirs, ours = getattr(source, field.name), getattr(translation, field.name)
        if not (field.merge_tags and theirs and ours):
            continue
        wanted, found = ({tag.name for tag in tags_in(text)} for text in (theirs, ours))
        if wanted & PERSON and found & PERSON:  # which part of a name a language greets with is its own affair
            wanted, found = wanted - PERSON, found - PERSON
        for name in sorted(wanted - found):
            message = N_("The placeholder {{ %(tag)s }} of %(source)s is missing here. Put it where it belongs.")
            problems.append(_differs(source, translation, field.name, "appeal.tag_missing", message, tag=name))
        for name in sorted(found - wanted):
            message = N_("The placeholder {{ %(tag)s }} is not in %(source)s. Take it out, or add it there.")
            problems.append(_differs(source, translation, field.name, "appeal.tag_extra", message, tag=name))
    return problems


def _link_differences(source: Translation, translation: Translation, name: str) -> list[Problem]:
    """Missing and extra links of a field. Another page of the same site stands for the original: pages have languages
    too."""
    theirs, ours = getattr(source, name), getattr(translation, name)
    if not (theirs and ours):
        return []
    wanted, found = list(links(theirs)), list(links(ours))
    missing = [url for url in wanted if url not in found]
    extra = [url for url in found if url not in wanted]
    sites = Counter(_site(url) for url in missing) & Counter(_site(url) for url in extra)
    problems = []
    for url in _without(missing, sites):
        message = N_("The link to %(url)s of %(source)s is missing here. Add it where it belongs.")
        problems.append(_differs(source, translation, name, "appeal.link_missing", message, url=url))
    for url in _without(extra, sites):
        message = N_("The link to %(url)s is not in %(source)s. Take it out, or add it there.")
        problems.append(_differs(source, translation, name, "appeal.link_extra", message, url=url))
    return problems


def _without(urls: list[str], sites: Counter[str]) -> list[str]:
    left, kept = sites.copy(), []
    for url in urls:
        if left[_site(url)] > 0:
            left[_site(url)] -= 1
        else:
            kept.append(url)
    return kept


def _site(url: str) -> str:
    try:
        return (urlsplit(url).hostname or url).removeprefix("www.")
    except ValueError:  # what stands in brackets is no IPv6 address
        return url


def _differs(
    source: Translation, translation: Translation, field: str, code: str, message: str, **params: object
) -> Problem:
    return _at(translation, field, code, message, {"source": language(source.language).own_name, **params})


def _at(
    translation: Translation,
    field: str,
    code: str,
    message: str,
    params: Mapping[str, object],
    severity: Severity = "error",
) -> Problem:
    return Problem(code, message, params, severity, f"translations.{translation.language}.{field}")
