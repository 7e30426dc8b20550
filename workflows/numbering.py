"""The counter that allocates incident numbers: one workflow, so that no number is given twice."""

from temporalio import workflow

from incidents.domain.config.model import HISTORY_EVENTS
from incidents.domain.numbering import Allocated, Allocation, Ledger, Numbered
from incidents.names import ALLOCATE_NUMBER, FIND_NUMBER_QUERY


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
        workflow.set_current_details("Allocates incident numbers. Do not terminate it.")
        await workflow.wait_condition(self._is_long)
        await workflow.wait_condition(workflow.all_handlers_finished)
        workflow.continue_as_new(self._ledger)

    def _is_long(self) -> bool:
        info = workflow.info()
        return info.is_continue_as_new_suggested() or info.get_current_history_length() >= HISTORY_EVENTS

    @workflow.update(name=ALLOCATE_NUMBER, description="Get the number of an incident: the same one for the same run.")
    async def allocate(self, request: Allocation) -> Allocated:
        """Return the incident's number, which incident it repeats, and whether it opened in a surge."""
        self._ledger, allocated = self._ledger.allocate(request)
        return allocated

    @workflow.query(name=FIND_NUMBER_QUERY, description="Find an incident by its number.")
    def find(self, number: int) -> Numbered | None:
        """Return the incident of that number, if it is among the recent ones."""
        return self._ledger.find(number)
