"""What stands for an address in histories, and what a worker finds for it."""

import pytest

from incidents.domain.config.communication import Contact
from incidents.domain.people.config import DirectoryEntry
from incidents.domain.people.directory import PeopleDirectory
from incidents.domain.people.references import address_in_words, contact_reference, person_reference
from incidents.domain.recipients import AddressBook, recipient_in_words, staff

BOOK = AddressBook(
    PeopleDirectory({"ann": DirectoryEntry(email="ann@example.com"), "bob": DirectoryEntry(slack="U045EF6GH")}),
    contacts={"cto": Contact(name="CTO", email="cto@example.com"), "rota": Contact(name="Rota", schedule="P1")},
)


@pytest.mark.parametrize(
    ("address", "found", "words"),
    [
        (contact_reference("cto"), "cto@example.com", "cto"),
        (person_reference("ann"), "ann@example.com", "ann"),
        ("joe@example.com", "joe@example.com", "joe@example.com"),  # as histories of before have it
        (contact_reference("rota"), "", "rota"),
        (contact_reference("gone"), "", "gone"),
        (person_reference("bob"), "", "bob"),
        ("", "", ""),
    ],
)
def test_101_a_reference_is_looked_up_where_it_is_sent(address: str, found: str, words: str) -> None:
    assert BOOK.resolve(address) == found
    assert BOOK.find(staff((address,))) == ((found,) if found else ())
    assert address_in_words(address) == words
    assert [recipient_in_words(one) for one in staff((address,))] == [words]
