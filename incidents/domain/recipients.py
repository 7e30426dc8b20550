"""Recipients of mail requests, and the address book in which the mail activity looks them up when it sends.

A request names its recipients, so that a workflow's history holds nobody's address. What a worker's runbook says at
that moment counts.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Annotated, Literal, assert_never

from pydantic import Field

from incidents.domain.config.communication import Contact
from incidents.domain.core.base import Frozen
from incidents.domain.customers.config import LISTED, CustomerName
from incidents.domain.customers.directory import NO_CUSTOMERS, CustomerDirectory
from incidents.domain.people.directory import NOBODY, PeopleDirectory
from incidents.domain.people.references import address_in_words, contact_in, person_in


class CustomerNamed(Frozen):
    """A customer in `customers.contacts`, by name."""

    kind: Literal["customer"] = "customer"
    name: CustomerName


class ListedCustomers(Frozen):
    """All addresses in `customers.emails`."""

    kind: Literal["listed"] = "listed"


class PersonNamed(Frozen):
    """A person in the directory, by name."""

    kind: Literal["person"] = "person"
    name: str


class StaffAddress(Frozen):
    """One of our own: by a reference (`people/references.py`), or by the address with which a responder named them."""

    kind: Literal["staff"] = "staff"
    address: str


Recipient = Annotated[CustomerNamed | ListedCustomers | PersonNamed | StaffAddress, Field(discriminator="kind")]


def staff(addresses: Iterable[str]) -> tuple[Recipient, ...]:
    """Return these addresses as recipients, each once."""
    return tuple(StaffAddress(address=address) for address in dict.fromkeys(addresses))


def recipient_in_words(recipient: Recipient) -> str:
    """Return whom a request names, for responders: a customer's address is not known here."""
    match recipient:
        case CustomerNamed() | PersonNamed():
            return recipient.name
        case ListedCustomers():
            return "the customers in customers.emails"
        case StaffAddress():
            return address_in_words(recipient.address)
        case _:
            assert_never(recipient)


class AddressBook:
    """The addresses that a worker knows. Empty: only those that a request holds itself."""

    def __init__(
        self,
        people: PeopleDirectory = NOBODY,
        customers: CustomerDirectory = NO_CUSTOMERS,
        contacts: Mapping[str, Contact] | None = None,
    ) -> None:
        self._people, self._customers, self._contacts = people, customers, contacts or {}

    def resolve(self, address: str) -> str:
        """Return the address that a reference stands for, "" if it is not known; what is no reference as it is."""
        if name := contact_in(address):
            return self._contacts[name].email or "" if name in self._contacts else ""
        if name := person_in(address):
            return self._people.entry(name).email
        return address

    def find(self, recipients: Iterable[Recipient]) -> tuple[str, ...]:
        """Return the recipients' addresses in order, each once, as far as they are known."""
        found: dict[str, str] = {}
        for recipient in recipients:
            for address in self._addresses(recipient):
                found.setdefault(address.casefold(), address)
        return tuple(found.values())

    def customers(self, recipients: Iterable[Recipient]) -> dict[str, str]:
        """Return the names of the customers among the recipients, by address; `LISTED` for those without one."""
        found: dict[str, str] = {}
        for recipient in recipients:
            match recipient:
                case CustomerNamed():
                    found |= dict.fromkeys(self._addresses(recipient), recipient.name)
                case ListedCustomers():
                    found |= {address: LISTED for address in self._addresses(recipient) if address not in found}
                case PersonNamed() | StaffAddress():
                    continue
                case _:
                    assert_never(recipient)
        return found

    def unknown_customers(self, recipients: Iterable[Recipient]) -> Iterator[str]:
        """Yield the customers among the recipients whose address is not known, in words."""
        for recipient in recipients:
            match recipient:
                case CustomerNamed() | ListedCustomers() if not self._addresses(recipient):
                    yield recipient_in_words(recipient)

    def _addresses(self, recipient: Recipient) -> tuple[str, ...]:
        match recipient:
            case CustomerNamed():
                address = self._customers.address(recipient.name)
                return (address,) if address else ()
            case ListedCustomers():
                return self._customers.listed
            case PersonNamed():
                return self._people.emails((recipient.name,))
            case StaffAddress():
                address = self.resolve(recipient.address)
                return (address,) if address else ()
            case _:
                assert_never(recipient)


EMPTY_BOOK = AddressBook()
"""The address book of a runbook that names neither people nor customers."""
