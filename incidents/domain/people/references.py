"""References that stand for addresses of our own people, so that no history holds these.

The runbook that an incident carries, the requests of its activities, and their results have references; a worker looks
them up in its own runbook when it sends (`recipients.AddressBook`). Histories of before hold addresses: what is no
reference is one.
"""

_CONTACT, _PERSON = "contact:", "person:"


def contact_reference(name: str) -> str:
    """Return what stands for the address of that contact in runbook.yaml."""
    return f"{_CONTACT}{name}"


def person_reference(name: str) -> str:
    """Return what stands for the address of that person in the directory."""
    return f"{_PERSON}{name}"


def contact_in(address: str) -> str:
    """Return the contact whom an address stands for; "" if it is no such reference."""
    return address.removeprefix(_CONTACT) if address.startswith(_CONTACT) else ""


def person_in(address: str) -> str:
    """Return the person whom an address stands for; "" if it is no such reference."""
    return address.removeprefix(_PERSON) if address.startswith(_PERSON) else ""


def address_in_words(address: str) -> str:
    """Return whom an address stands for; an address as it is."""
    return contact_in(address) or person_in(address) or address
