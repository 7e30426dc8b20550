"""Which vendor failed, as data: it travels in the details of the error and is never parsed from its text."""

from incidents.domain.core.base import Frozen


class VendorFailure(Frozen):
    """The vendor of a failed call.

    `vendor`: its short name, which keys are made of. `name`: what people call it. `sends_mail`: it is the one that
    sends our mail, so it cannot be reported by mail. `attempt`: which attempt failed, from 1; None if that is unknown.
    """

    vendor: str
    name: str = ""
    sends_mail: bool = False
    attempt: int | None = None

    @property
    def display_name(self) -> str:
        """Return what people call the vendor."""
        return self.name or self.vendor
