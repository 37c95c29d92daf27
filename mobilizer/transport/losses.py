"""Transport: losses. How a connection can be lost, and what that is called."""

from __future__ import annotations

from enum import StrEnum

from mobilizer.problems import N_


class Loss(StrEnum):
    """How a connection was lost, as the ledger keeps it of a message whose answer was lost with it."""

    HUNG_UP = "hung_up"
    SILENT = "silent"  # no answer in time
    BROKE = "broke"  # the network or this machine says so
    NOT_SMTP = "not_smtp"
    ENDLESS = "endless"  # a reply or a line of it
    UNASKED = "unasked"  # it spoke when nothing was asked
    NOT_AWAITED = "not_awaited"  # it did not wait for the content, or for its end
    STUCK = "stuck"  # it took no more of our bytes
    ODD = "odd"  # an answer that is neither yes nor no


LOSSES = {
    Loss.HUNG_UP: N_("The relay hung up"),
    Loss.SILENT: N_("The relay did not answer in time"),
    Loss.BROKE: N_("The connection to the relay broke"),
    Loss.NOT_SMTP: N_("What the relay answered is not SMTP"),
    Loss.ENDLESS: N_("The relay's answer had no end"),
    Loss.UNASKED: N_("The relay spoke without being asked"),
    Loss.NOT_AWAITED: N_("The relay did not wait for the mail"),
    Loss.STUCK: N_("The relay stopped taking what we send"),
    Loss.ODD: N_("The relay's answer was neither yes nor no"),
}


class Lost(Exception):
    """A connection can't be used any more. `detail` is what the system or the relay said about it, if anything;
    `reason` both, in English, for logs."""

    def __init__(self, loss: Loss, detail: str = "") -> None:
        self.loss, self.detail = loss, detail
        self.reason = f"{LOSSES[loss]}: {detail}" if detail else LOSSES[loss]
        super().__init__(self.reason)
