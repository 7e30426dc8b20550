"""What the watch for stuck workflows remembers of open runs: of incidents all, of others those that are not well."""

from collections import Counter
from collections.abc import Collection, Iterable, Iterator
from itertools import islice

from incidents import metrics
from incidents.app.telemetry.sources import Sample
from incidents.domain.standstill import Reason, RunReading
from incidents.names import INCIDENT_WORKFLOW, WATCHED


class KnownRuns:
    """Runs as last read, by run id; the one whose reading is oldest comes first."""

    def __init__(self) -> None:
        """Begin without any."""
        self._runs: dict[str, RunReading] = {}
        self._stuck: dict[str, Reason] = {}
        self._read: dict[str, set[str]] = {kind: set() for kind in WATCHED}
        self._this_round: set[str] = set()
        self._passed: set[str] = set()

    @property
    def complete(self) -> bool:
        """Tell whether every open run has been read once."""
        return self._passed == set(WATCHED)

    @property
    def ids(self) -> set[str]:
        """The ids of the runs."""
        return set(self._runs)

    def begin_round(self) -> None:
        """Begin a round: what it reads needs no second reading in it."""
        self._this_round = set()

    def put(self, run: RunReading, stuck: Reason | None) -> None:
        """Remember a reading, and why its workflow task is stuck, if it is."""
        self.drop(run.run_id)
        self._this_round.add(run.run_id)
        if run.workflow_type != INCIDENT_WORKFLOW and stuck is None and _is_well(run):
            return
        self._runs[run.run_id] = run
        self._read[run.workflow_type].add(run.run_id)
        if stuck is not None:
            self._stuck[run.run_id] = stuck

    def drop(self, run_id: str) -> None:
        """Forget a run, which has ended."""
        self._runs.pop(run_id, None)
        self._stuck.pop(run_id, None)

    def end_pass(self, kinds: Iterable[str]) -> None:
        """Forget the runs of these types that the pass did not read: they have ended."""
        for kind in kinds:
            for run in [run for run in self._runs.values() if run.workflow_type == kind]:
                if run.run_id not in self._read[kind]:
                    self.drop(run.run_id)
            self._read[kind] = set()
            self._passed.add(kind)

    def to_read_again(self, most: int, overdue: Collection[str]) -> list[RunReading]:
        """Return runs that were not well when last read, before this round; those of the oldest readings first."""
        ill = (key for key, run in self._runs.items() if key in self._stuck or key in overdue or not _is_well(run))
        return [self._runs[key] for key in islice((key for key in ill if key not in self._this_round), most)]

    def incidents(self) -> Iterator[RunReading]:
        """Yield the incidents."""
        return (run for run in self._runs.values() if run.workflow_type == INCIDENT_WORKFLOW)

    def numbers(self) -> dict[str, int]:
        """Return the numbers of incidents by workflow id."""
        return {run.workflow_id: run.number for run in self.incidents() if run.number is not None}

    def samples(self) -> list[Sample]:
        """Return how many are stuck, by reason, and how many activities are failing, by type."""
        reasons = Counter(self._stuck.values())
        failing = Counter(activity for run in self._runs.values() for activity in run.failing)
        return [
            *(Sample(metrics.STUCK, reasons[each], {"reason": str(each)}) for each in (Reason.FAILING, Reason.WAITING)),
            *(Sample(metrics.OBLIGATIONS_FAILING, number, {"activity": name}) for name, number in failing.items()),
        ]


def _is_well(run: RunReading) -> bool:
    return not run.failing and not run.paused
