"""Customers' addresses, for the process that read runbook.yaml: they never enter a workflow, a log or an error."""

from email.utils import parseaddr

from incidents.domain.customers.config import CustomersSection


class CustomerDirectory:
    """The customers in runbook.yaml, by name. It is no model, so that nothing can serialize it by mistake."""

    def __init__(self, customers: CustomersSection | None = None) -> None:
        section = customers or CustomersSection()
        self._by_name = {_key(name): address for name, address in section.contacts.items()}
        self._names: dict[str, list[str]] = {}
        for name, address in section.contacts.items():
            self._names.setdefault(_mailbox(address), []).append(name)
        self.listed = section.emails
        """The addresses in `customers.emails`."""

    def address(self, name: str) -> str:
        """Return a customer's address, whatever the name's case; "" if runbook.yaml does not list them."""
        return self._by_name.get(_key(name), "")

    def resolve(self, said: str) -> str:
        """Return the name of the only customer with that address; else what was said."""
        names = self._names.get(_mailbox(said), [])
        return names[0] if len(names) == 1 else said


def _key(name: str) -> str:
    return name.strip().casefold()


def _mailbox(address: str) -> str:
    return parseaddr(address)[1].casefold()


NO_CUSTOMERS = CustomerDirectory()
"""The directory of a runbook that lists no customers."""
