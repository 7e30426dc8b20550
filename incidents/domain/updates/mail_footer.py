"""What follows the text of a customers' mail: the link to the status page, and the last updates."""

from incidents.domain.core.base import Frozen


class EarlierUpdate(Frozen):
    """An update that went out before. `when`: its time, in words."""

    when: str
    words: str


class MailFooter(Frozen):
    """What follows the text of a mail; each part only if it is set. `link`: an address, http or https."""

    link_label: str = ""
    link: str = ""
    recap_label: str = ""
    recap: tuple[EarlierUpdate, ...] = ()

    def as_text(self) -> str:
        """Return it as plain text, "" if there is nothing of it."""
        parts = [f"{self.link_label}: {self.link}\n"] if self.link else []
        if self.recap:
            parts.append("".join((f"{self.recap_label}:\n", *(f"{e.when}: {e.words}\n" for e in self.recap))))
        return "".join(f"\n{part}" for part in parts)
