"""Customers in runbook.yaml: who gets updates by e-mail, and who is asked whether service is restored.

The file has their addresses (`CustomersSection`). What an incident carries has their names only (`Customers`), because
it enters Temporal's history.
"""

from datetime import timedelta
from email.utils import parseaddr
from enum import StrEnum
from typing import Annotated

from pydantic import AfterValidator

from incidents.domain.core.base import Frozen
from incidents.domain.core.time.duration import Duration


def _name(text: str) -> str:
    if "@" in text:
        raise ValueError("name the customer as runbook.yaml does (customers.contacts), not by an e-mail address")
    return text


def _address(text: str) -> str:
    if not all(parseaddr(text)[1].partition("@")):
        raise ValueError("not an e-mail address")  # which one it is stays out of the error
    return text


CustomerName = Annotated[str, AfterValidator(_name)]
"""A customer's name; never an address."""
MailAddress = Annotated[str, AfterValidator(_address)]
"""An e-mail address, plain or as `Name <address>`."""


LISTED = "customers.emails"
"""What stands for the name of a customer of whom runbook.yaml has only an address, in `customers.emails`."""


class Inform(StrEnum):
    """Which customers get status updates by e-mail."""

    ALL = "all"
    AFFECTED = "affected"


class CustomerRules(Frozen):
    """How customers are informed.

    `inform`: all of `emails` and the affected ones, or the affected ones only. Affected are those that the assessment
    names. `answer_within`: after that, no answer is recorded as no answer, never as a yes. `never_say`: words that no
    customer may read, beside what is found by its form (hosts, links, stack traces, clusters).
    """

    inform: Inform = Inform.ALL
    answer_within: Duration = timedelta(hours=4)
    never_say: tuple[str, ...] = ()


class Customers(CustomerRules):
    """What an incident knows of customers: no address.

    `names`: those that an assessment can name and that are asked whether service is restored. `listed`: whether
    `emails` of runbook.yaml has any address.
    """

    names: tuple[CustomerName, ...] = ()
    listed: bool = False


class CustomersSection(CustomerRules):
    """The section of runbook.yaml. It never enters a workflow.

    `emails`: addresses that get the updates. `contacts`: a customer's name, as an assessment names them, to the address
    that gets updates and is asked whether service is restored.
    """

    emails: tuple[MailAddress, ...] = ()
    contacts: dict[CustomerName, MailAddress] = {}

    def without_addresses(self) -> Customers:
        """Return what an incident may know."""
        rules = {name: getattr(self, name) for name in CustomerRules.model_fields}
        return Customers(**rules, names=tuple(self.contacts), listed=bool(self.emails))
