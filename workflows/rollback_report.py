"""What a rollback reports while it runs: to its incident, by signals, and to the Web UI."""

from temporalio import workflow
from temporalio.exceptions import ApplicationError

from incidents.contracts import ROLLBACK_ENDED, ROLLBACK_MOVED
from incidents.domain.evidence.manifest import ManifestRef
from incidents.domain.rollback.order import Probed, RollbackOrder, RollbackProgress, RollbackResult
from workflows.obligation_loop import force_history_event


class RollbackReport:
    """The steps that a rollback has taken, and what the verification of each region says."""

    def __init__(self, order: RollbackOrder) -> None:
        """Start without steps."""
        self._order = order
        self._steps: list[str] = []
        self._regions: dict[str, str] = {}
        self._pending: list[Probed] = []

    @property
    def steps(self) -> list[str]:
        """The steps taken, then the newest figures of each region."""
        return [*self._steps, *self._regions.values()]

    @property
    def pending(self) -> bool:
        """Whether probes have reported what the incident was not sent yet."""
        return bool(self._pending)

    def queue(self, probed: Probed) -> None:
        """Queue what the probes of a region say; its newest report counts, and each that it is undecided."""
        others = [old for old in self._pending if old.region != probed.region or old.undecided]
        self._pending = [*others, probed]

    async def send_pending(self) -> None:
        """Send the incident what was queued since the last time."""
        queued, self._pending = self._pending, []
        for probed in queued:
            self._regions[probed.region] = probed.summary
            summary = "; ".join(self._regions.values())
            await self.send(summary, quiet=not probed.undecided, undecided=probed.undecided)

    async def send(
        self,
        summary: str,
        *,
        ordered: bool = False,
        quiet: bool = False,
        undecided: bool = False,
        manifest: ManifestRef | None = None,
        deployment: str = "",
    ) -> None:
        """Show a step in the Web UI and send it to the incident; the flags are those of `RollbackProgress`."""
        self._show(summary, replace=quiet)
        order = self._order
        progress = RollbackProgress(
            cluster=order.cluster,
            attempt=order.attempt,
            summary=summary,
            ordered=ordered,
            undecided=undecided,
            quiet=quiet,
            manifest=manifest,
            deployment=deployment,
        )
        await self._signal_incident(ROLLBACK_MOVED, progress)

    async def finish(self, result: RollbackResult) -> None:
        """Show how the rollback ended, and send it to the incident."""
        self._show(f"{result.status}: {result.detail}")
        await self._signal_incident(ROLLBACK_ENDED, result)

    def force_event(self) -> None:
        """Leave an event for what was learned while other work goes on, which may command nothing else."""
        force_history_event(len(self._steps))

    def _show(self, summary: str, *, replace: bool = False) -> None:
        """Show a step in the Web UI; with `replace`, only until the next one."""
        if not replace:
            self._steps = [*self._steps, summary]
        shown = [*self._steps, summary] if replace else self._steps
        workflow.set_current_details("\n".join(f"- {line}" for line in shown))

    async def _signal_incident(self, name: str, payload: RollbackProgress | RollbackResult) -> None:
        """Signal the incident; one that has ended is not reported to any more."""
        incident = workflow.get_external_workflow_handle(self._order.report_to)
        try:
            await incident.signal(name, payload)
        except ApplicationError as error:
            workflow.logger.warning("%s not sent to %s: %s", name, self._order.incident, error.message)
