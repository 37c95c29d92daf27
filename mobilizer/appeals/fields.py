"""Appeals: the fields of a translation. The one list that forms, completeness, files and checks follow."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass

from mobilizer.problems import N_


@dataclass(frozen=True, slots=True)
class Field:
    """One field that a translator fills. `merge_tags` says whether a member's values may stand in it; `shown` is how
    many letters of it a phone's inbox shows, about, 0 where nothing is cut; `pages`, that it stands on public pages
    only, and in no mail; `variant`, of which variant of the mail it is, where it is not of all; `discreet`, that it
    stands in place of all others in mails that hide what they are about."""

    name: str
    label: str
    hint: str
    max_length: int
    required: bool = True
    multiline: bool = False
    merge_tags: bool = False
    shown: int = 0
    pages: bool = False
    variant: str = ""
    discreet: bool = False


def _of_variant(variant: str, subject: str, opening: str) -> tuple[Field, Field]:
    """What one more variant may say in its own way."""
    return (
        Field(
            f"subject_{variant}",
            subject,
            N_("Another subject to try. Left empty, this variant has the first one."),
            max_length=150,
            required=False,
            merge_tags=True,
            shown=38,
            variant=variant,
        ),
        Field(
            f"opening_{variant}",
            opening,
            N_("Stands in place of the first paragraph of the text. Left empty, it begins as the first one does."),
            max_length=2_000,
            required=False,
            multiline=True,
            merge_tags=True,
            variant=variant,
        ),
    )


FIELDS: tuple[Field, ...] = (
    Field(
        "subject",
        N_("Subject"),
        N_("The line that decides whether the mail is opened."),
        max_length=150,
        merge_tags=True,
        shown=38,
    ),
    Field(
        "preheader",
        N_("Preheader"),
        N_("Shown after the subject in the inbox: go on from it, don't repeat it."),
        max_length=200,
        merge_tags=True,
        shown=90,
    ),
    Field(
        "greeting",
        N_("Greeting"),
        N_("For members whose name we know, like “Dear {{ first_name }},”."),
        max_length=150,
        merge_tags=True,
    ),
    Field(
        "greeting_nameless",
        N_("Greeting without a name"),
        N_("For members whose name we do not know, like “Dear friend,”."),
        max_length=150,
    ),
    Field(
        "title",
        N_("Title of the video"),
        N_("Heads the watch page and what people see when it is shared."),
        max_length=120,
    ),
    Field(
        "poster_alt",
        N_("What the picture shows"),
        N_("Read aloud to those who cannot see it, and shown while pictures are off."),
        max_length=250,
    ),
    Field(
        "body",
        N_("Text"),
        N_("Plain words in Markdown: a blank line starts a paragraph, [words](https://...) makes a link."),
        max_length=20_000,
        multiline=True,
        merge_tags=True,
    ),
    Field(
        "button", N_("Button"), N_("Two or three words that say what happens, like “Watch the film”."), max_length=40
    ),
    Field(
        "share_text",
        N_("Words for sharing"),
        N_("What a member's family and friends read with the link."),
        max_length=400,
        multiline=True,
    ),
    *(
        Field(name, label, hint, max_length=400, required=False, multiline=True, pages=True)
        for name, label, hint in (
            (
                "share_whatsapp",
                N_("Words for sharing by WhatsApp"),
                N_("Where they should differ; left empty, the words for sharing are used."),
            ),
            (
                "share_email",
                N_("Words for sharing by e-mail"),
                N_("There is room for more than a line here; left empty, the words for sharing are used."),
            ),
            (
                "share_sms",
                N_("Words for sharing by text message"),
                N_("Short: a long one costs more to send. Left empty, the words for sharing are used."),
            ),
            (
                "join_text",
                N_("Words for signing up"),
                N_("Why friends who came by this film should join; read above the sign-up form."),
            ),
        )
    ),
    *_of_variant("b", N_("Subject of variant B"), N_("Opening of variant B")),
    *_of_variant("c", N_("Subject of variant C"), N_("Opening of variant C")),
    *_of_variant("d", N_("Subject of variant D"), N_("Opening of variant D")),
    *(
        Field(name, label, hint, max_length=150, required=False, discreet=True)
        for name, label, hint in (
            (
                "discreet_sender",
                N_("Sender of a discreet mail"),
                N_("A name that does not say what you stand for, like a first name."),
            ),
            (
                "discreet_subject",
                N_("Subject of a discreet mail"),
                N_("Anybody may read it over a shoulder. It heads the page too, until play is pressed and after."),
            ),
            (
                "discreet_preheader",
                N_("Preheader of a discreet mail"),
                N_("All that the mail says beside its subject and a button; no word of the cause."),
            ),
        )
    ),
)
# What may stand in a field with merge tags, by the name of the tag.
MERGE_TAGS = {
    "first_name": N_("First name"),
    "name": N_("Whole name"),
    "country": N_("Country"),
    "list": N_("Name of the list"),
    "organisation": N_("Your organisation"),
    "friends_watched": N_("How many watched because of them"),
    "friends_joined": N_("How many joined because of them"),
}
MEDIA_FIELDS = ("video", "poster", "captions")

BY_NAME = {field.name: field for field in FIELDS}


def tidy(field: Field, value: str) -> str:
    """A value as it is kept: LF line ends, one line where the field has one, no control characters, no outer blanks."""
    text = value.replace("\r\n", "\n").replace("\r", "\n")
    text = "".join(c for c in text if c in "\n\t" or unicodedata.category(c) not in ("Cc", "Cs"))
    if not field.multiline:
        text = " ".join(part for line in re.split(r"[\n\t\u2028\u2029]+", text) if (part := line.strip()))
    return text.strip()
