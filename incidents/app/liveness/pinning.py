"""Pin workflows to the version of the worker that runs them, where workers have versions.

The SDK takes a workflow's behavior from its class (`@workflow.defn`), and then sends it always. But Temporal rejects it
from a worker without versions, so that no workflow task would ever complete. Here the worker with versions adds it.
"""

from collections.abc import Collection

from temporalio.bridge.proto.workflow_activation import WorkflowActivation
from temporalio.bridge.proto.workflow_completion import WorkflowActivationCompletion
from temporalio.common import VersioningBehavior
from temporalio.converter import SerializationContext, StorageDriverStoreContext
from temporalio.worker import WorkflowInstance, WorkflowInstanceDetails, WorkflowRunner
from temporalio.workflow import Info

from incidents.names import INCIDENT_WORKFLOW, ROLLBACK_WORKFLOW

PINNED = (INCIDENT_WORKFLOW, ROLLBACK_WORKFLOW)
"""Workflows that stay on the version on which they began. All others move to the current one with their next task."""


class PinningRunner(WorkflowRunner):
    """A workflow runner whose workflows of some types are pinned."""

    def __init__(self, inner: WorkflowRunner, types: Collection[str] = PINNED) -> None:
        """Run workflows by `inner`. `types`: the names of those that are pinned."""
        self._inner, self._types = inner, types

    def prepare_workflow(self, defn: object) -> None:
        """Prepare as the inner runner does."""
        self._inner.prepare_workflow(defn)  # type: ignore[arg-type]  # a private type of the SDK

    def set_worker_level_failure_exception_types(self, types: object) -> None:
        """Pass on to the inner runner."""
        self._inner.set_worker_level_failure_exception_types(types)  # type: ignore[arg-type]  # as its base takes it

    def create_instance(self, det: WorkflowInstanceDetails) -> WorkflowInstance:
        """Return the inner runner's instance; of a pinned type, one that says so."""
        instance = self._inner.create_instance(det)
        return _Pinned(instance) if det.info.workflow_type in self._types else instance


class _Pinned(WorkflowInstance):
    """A workflow instance whose workflow tasks ask Temporal to pin it."""

    def __init__(self, inner: WorkflowInstance) -> None:
        self._inner = inner

    def activate(self, act: WorkflowActivation) -> WorkflowActivationCompletion:
        completion = self._inner.activate(act)
        if completion.HasField("successful"):
            completion.successful.versioning_behavior = VersioningBehavior.PINNED.value
        return completion

    def get_serialization_context(self, command_info: object) -> SerializationContext | None:
        return self._inner.get_serialization_context(command_info)  # type: ignore[arg-type]  # a private type

    def get_external_store_context(self, command_info: object) -> StorageDriverStoreContext:
        return self._inner.get_external_store_context(command_info)  # type: ignore[arg-type]  # a private type

    def get_info(self) -> Info:
        return self._inner.get_info()

    def get_thread_id(self) -> int | None:
        return self._inner.get_thread_id()
