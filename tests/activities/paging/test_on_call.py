"""Who is on call, as PagerDuty's schedule says."""

from activities.paging.on_call import OnCall
from activities.registry import ActivitySet
from incidents.domain.activity_requests import FindOnCall
from incidents.domain.activity_results import Person
from incidents.domain.people.config import DirectoryEntry
from incidents.domain.people.directory import PeopleDirectory
from incidents.domain.recipients import AddressBook
from sandbox.server import RunningSandbox
from tests.activities.conftest import perform

ASKED = FindOnCall(key="run-7/on-call/0", schedule="PSBXSCHED")


def test_on_call_comes_from_the_schedule(activities: ActivitySet) -> None:
    outcome = perform(activities.on_call.find_on_call, ASKED)
    assert outcome.on_call == (Person(name="Ona Call", email="oncall@featuresignals.com"),)
    assert outcome.detail == "Ona Call"


def test_nobody_is_an_answer_too(activities: ActivitySet, sandbox: RunningSandbox) -> None:
    sandbox.options(nobody_on_call=True)
    outcome = perform(activities.on_call.find_on_call, ASKED)
    assert (outcome.skipped, outcome.on_call, outcome.detail) == (None, (), "no one on call")


def test_another_schedule_has_nobody_of_this_one(activities: ActivitySet) -> None:
    assert perform(activities.on_call.find_on_call, ASKED.replace(schedule="POTHER")).on_call == ()


def test_without_a_key_it_is_off_and_says_what_is_missing(idle: ActivitySet) -> None:
    assert "PAGERDUTY_API_KEY is not set" in perform(idle.on_call.find_on_call, ASKED).skipped


def test_101_who_is_in_the_directory_is_returned_without_their_address(activities: ActivitySet) -> None:
    people = PeopleDirectory({"ona": DirectoryEntry(email="OnCall@featuresignals.com")})
    known = OnCall(activities.on_call._client, people=people)
    outcome = perform(known.find_on_call, ASKED)
    assert outcome.on_call == (Person(name="Ona Call", email="person:ona"),)
    assert AddressBook(people).resolve("person:ona") == "OnCall@featuresignals.com"
