"""Message: the rendition, an appeal compiled for one language. Frozen with a blast, then filled once a member."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass
from functools import lru_cache

from mobilizer.message.pieces import Line, from_json, slots_of, to_json
from mobilizer.message.tags import THANKS
from mobilizer.tracking import Tracking

FORMAT = 1
_LINES = ("subject", "preheader", "greeting", "greeting_nameless", "text", "html")
# What came later is only said where it is not as it always was: older renditions have it as well.
_LATER = {"tracking": Tracking.PSEUDONYMOUS, "discreet": False, "leave_by_mail": True}


class UnreadableRendition(ValueError):
    """Not a rendition, or one that another version wrote."""


@dataclass(frozen=True, eq=False)
class Rendition:
    """Everything of a mail but the member. Lines are decoded text: how they go on the wire is transfer.py's business.

    Two renditions with the same `content_hash` make the same mails.
    """

    language: str
    template: str
    base_url: str
    blast_slug: str
    sender_name: str
    sender_address: str
    reply_to: str
    return_domain: str
    subject: Line
    preheader: Line
    greeting: Line
    greeting_nameless: Line
    text: Line
    html: Line
    tracking: Tracking = Tracking.PSEUDONYMOUS
    discreet: bool = False
    leave_by_mail: bool = True

    @property
    def content_hash(self) -> str:
        """32 hexadecimal digits of everything that is in it."""
        return hashlib.blake2b(self.dumps().encode(), digest_size=16).hexdigest()

    @property
    def html_bytes(self) -> int:
        """Size in bytes of the HTML part before a member's values; mailboxes clip what exceeds 102 KB."""
        return sum(len(piece.encode()) if isinstance(piece, str) else 48 for piece in self.html)

    @property
    def thanks(self) -> bool:
        """Whether it says what came of a member's sharing."""
        lines: list[Line] = [getattr(self, name) for name in _LINES]
        return any(slot.field in THANKS for slot in slots_of(lines))

    def dumps(self) -> str:
        """As JSON text, the same for the same content."""
        fields = asdict(self) | {name: to_json(getattr(self, name)) for name in _LINES}
        for name, usual in _LATER.items():
            if fields[name] == usual:
                del fields[name]
        return json.dumps({"format": FORMAT, **fields}, ensure_ascii=False, sort_keys=True, separators=(",", ":"))

    @staticmethod
    def loads(text: str) -> Rendition:
        """The rendition that `dumps` wrote. Raises UnreadableRendition."""
        return _loaded(text)


@lru_cache(maxsize=64)
def _loaded(text: str) -> Rendition:
    try:
        fields = json.loads(text)
        if fields.pop("format") != FORMAT:
            raise UnreadableRendition("another version of Mobilizer wrote this rendition; compile the blast anew")
        said = {name: from_json(fields[name]) for name in _LINES}
        return Rendition(**fields | said | {"tracking": Tracking(fields.get("tracking", Tracking.PSEUDONYMOUS))})
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise UnreadableRendition("this is not a rendition") from error
