"""The counter that allocates incident numbers: one workflow, so that no number is given twice."""

from temporalio import workflow

from incidents.contracts import ALLOCATE_NUMBER, FIND_NUMBER_QUERY
from incidents.domain.config.model import HISTORY_EVENTS
from incidents.domain.numbering import Allocation, Ledger, Numbered


@workflow.defn
class IncidentNumbersWorkflow:
    """Allocates 1, 2, 3 … once per incident run, and remembers recent ones across continue-as-new."""

    @workflow.init
    def __init__(self, ledger: Ledger) -> None:
        """Go on from the ledger of the run before."""
        self._ledger = ledger

    @workflow.run
    async def run(self, ledger: Ledger) -> None:
        """Serve until history is long enough to start over."""
        workflow.set_current_details("Allocates incident numbers. Let it run.")
        await workflow.wait_condition(self._is_long)
        await workflow.wait_condition(workflow.all_handlers_finished)
        workflow.continue_as_new(self._ledger)

    def _is_long(self) -> bool:
        info = workflow.info()
        return info.is_continue_as_new_suggested() or info.get_current_history_length() >= HISTORY_EVENTS

    @workflow.update(name=ALLOCATE_NUMBER, description="Get the number of an incident: the same one for the same run.")
    async def allocate(self, request: Allocation) -> int:
        """Return the incident's number."""
        self._ledger, number = self._ledger.allocate(request)
        return number

    @workflow.query(name=FIND_NUMBER_QUERY, description="Find an incident by its number.")
    def find(self, number: int) -> Numbered | None:
        """Return the incident of that number, if it is among the recent ones."""
        return self._ledger.find(number)
