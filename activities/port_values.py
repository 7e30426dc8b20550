"""What vendors return through the ports: each adapter's own values will do if they have these properties."""

from datetime import datetime
from typing import Protocol


class HeldSilence(Protocol):
    """A silence that is pending or active."""

    @property
    def id(self) -> str:
        """Return the source's id of it."""

    @property
    def ends_at(self) -> datetime:
        """Return when it ends by itself, aware UTC."""


class PersonOnCall(Protocol):
    """Who is on call. `name` or `email` may be empty, not both."""

    @property
    def name(self) -> str:
        """Return their name."""

    @property
    def email(self) -> str:
        """Return their address."""


class ChatChannel(Protocol):
    """A channel. `creator`: the id of its creator; `purpose` carries our marker; `url`: where a browser opens it."""

    @property
    def id(self) -> str:
        """Return its id."""

    @property
    def name(self) -> str:
        """Return its name."""

    @property
    def url(self) -> str:
        """Return its address."""

    @property
    def creator(self) -> str:
        """Return the id of the user that created it."""

    @property
    def purpose(self) -> str:
        """Return its purpose."""

    @property
    def is_archived(self) -> bool:
        """Tell whether it is archived."""


class Room(Protocol):
    """A meeting that can be joined."""

    @property
    def join_url(self) -> str:
        """Return the address at which participants join; never a host's."""
