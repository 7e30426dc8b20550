"""What customers and responders said about the recovery."""

from pydantic import AwareDatetime

from incidents.domain.core.base import Frozen


class Confirmation(Frozen):
    """What a customer, or a responder, said about the recovery."""

    at: AwareDatetime
    by: str
    customer: str
    restored: bool
    note: str


class CustomersState(Frozen):
    """What customers and responders said about the recovery, and who was mailed.

    `mailed`: customers that an update went to, as the assessment names them; `mailed_all`: one went to all `emails` of
    runbook.yaml. They get the last one, too.
    """

    mailed: tuple[str, ...] = ()
    mailed_all: bool = False
    confirmations: tuple[Confirmation, ...] = ()
