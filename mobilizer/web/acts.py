"""Web: what each act of the audit log is called on its page."""

from __future__ import annotations

from mobilizer.problems import N_
from mobilizer.web.labels import CHANGES
from mobilizer.web.words import _

# What is done to a member's record has its words in labels.CHANGES.
ACTS = {
    "appeal.add_language": N_("Language added to an appeal"),
    "appeal.approve": N_("Translation approved"),
    "appeal.comment": N_("Comment on a translation written"),
    "appeal.create": N_("Appeal created"),
    "appeal.media": N_("Files of an appeal changed"),
    "appeal.remove_language": N_("Language taken out of an appeal"),
    "appeal.resolve": N_("Comment on a translation settled"),
    "appeal.restore": N_("Earlier words of an appeal restored"),
    "appeal.template": N_("Template of an appeal changed"),
    "appeal.translate": N_("Words of an appeal changed"),
    "appeal.withdraw": N_("Approval of a translation withdrawn"),
    "blast.ask": N_("Second yes to a launch asked for"),
    "blast.cancel": N_("Blast cancelled"),
    "blast.change": N_("Blast changed"),
    "blast.confirm": N_("Launch confirmed by a second person"),
    "blast.create": N_("Blast created"),
    "blast.launch": N_("Blast launched"),
    "blast.leave": N_("Uncertain mails left as they are"),
    "blast.pause": N_("Blast paused"),
    "blast.proof": N_("Proof sent"),
    "blast.resend": N_("Uncertain mails sent again"),
    "blast.resume": N_("Blast resumed"),
    "blast.retry": N_("Mails tried again"),
    "blast.schedule": N_("Blast scheduled"),
    "blast.undo": N_("Launch undone"),
    "blast.unschedule": N_("Schedule of a blast taken back"),
    "brand.keep": N_("Colours changed"),
    "factor.begin": N_("Second factor set up"),
    "factor.codes": N_("New recovery codes made"),
    "factor.end": N_("Second factor given up"),
    "factor.require": N_("Roles that need a second factor changed"),
    "factor.reset": N_("Somebody’s second factor taken away"),
    "field.change": N_("Field of members changed"),
    "field.define": N_("Field of members defined"),
    "field.restore": N_("Field of members restored"),
    "field.retire": N_("Field of members retired"),
    "glossary.add": N_("Term added to the glossary"),
    "glossary.change": N_("Term of the glossary changed"),
    "glossary.remove": N_("Term taken out of the glossary"),
    "import.pause": N_("Import paused"),
    "import.give_up": N_("Import given up"),
    "import.resume": N_("Import resumed"),
    "import.start": N_("Import started"),
    "import.undo": N_("Import undone"),
    "import.upload": N_("File for an import uploaded"),
    "invitation.accept": N_("Invitation accepted"),
    "invitation.revoke": N_("Invitation taken back"),
    "invitation.send": N_("Invitation sent"),
    "keys.retire": N_("Key retired"),
    "keys.rotate": N_("New key put into use"),
    "media.add": N_("File put into the media library"),
    "media.remove": N_("File taken out of the media library"),
    "tester.add": N_("Tester saved"),
    "tester.remove": N_("Tester removed"),
    "languages.change": N_("Languages that are worked in changed"),
    "list.create": N_("List created"),
    "member.erase": N_("Member erased"),
    "members.export": N_("Members taken out as a file"),
    "sharers.export": N_("Names of sharers taken out as a file"),
    "replies.forget": N_("Relays’ words on a blast forgotten"),
    "segment.change": N_("Segment changed"),
    "segment.create": N_("Segment created"),
    "segment.delete": N_("Segment deleted"),
    "session.begin": N_("Signed in"),
    "session.end_others": N_("Signed out elsewhere"),
    "second_person.change": N_("A second person for each launch: changed"),
    "sending.change": N_("How mail goes out changed"),
    "tag.delete": N_("Tag deleted"),
    "tag.rename": N_("Tag renamed"),
    "user.create": N_("User added"),
    "user.disable": N_("User disabled"),
    "user.enable": N_("User enabled again"),
    "user.password": N_("Own password changed"),
    "user.reset": N_("User let in again from the command line"),
    "user.role": N_("Role of a user changed"),
}
# The first word of an act: what it was done to. The others are rare, and in the list of everything.
KINDS = {
    "blast": N_("Blasts"),
    "appeal": N_("Appeals"),
    "member": N_("Members"),
    "members": N_("Members taken out"),
    "import": N_("Imports"),
    "user": N_("Users"),
    "invitation": N_("Invitations"),
    "factor": N_("Second factors"),
    "session": N_("Signing in"),
}


def act_name(action: str) -> str:
    """An act in the page's language; one that has no words as it is written down."""
    known = ACTS.get(action) or (CHANGES[action][0] if action in CHANGES else "")
    return _(known) if known else action
