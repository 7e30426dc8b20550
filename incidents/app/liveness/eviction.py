"""Let a worker forget every workflow run that it has to forget.

The SDK gives an activation two seconds. One that takes longer (a busy machine is enough) fails its workflow task, and
the run is evicted from the worker's cache, so that another attempt replays it. But the SDK does not wait for the
thread that still runs it: it evicts the run in a second thread meanwhile. Work that waits to be begun is then lost, the
eviction fails since work is left, and it is tried again for ever. The incident stands still until the worker restarts,
and the worker cannot be stopped. docs/upstream/evicted-while-running.md has the mechanism.

Here, one thread at a time enters a run, and a run that cannot be evicted is given up: it is kept aside, untouched, and
replayed from its history.
"""

import logging
import threading

from temporalio.bridge.proto.workflow_activation import WorkflowActivation
from temporalio.bridge.proto.workflow_completion import WorkflowActivationCompletion
from temporalio.converter import SerializationContext, StorageDriverStoreContext, WorkflowSerializationContext
from temporalio.worker import WorkflowInstance, WorkflowInstanceDetails, WorkflowRunner
from temporalio.workflow import Info

_log = logging.getLogger(__name__)

_ATTEMPTS = 3
"""Evictions of a run that may fail before it is given up. The SDK waits 2 s between them."""
_given_up: list[WorkflowInstance] = []
"""Runs that could not be evicted. They are never collected: that would end their work in the thread of another run."""


class EvictableRunner(WorkflowRunner):
    """A workflow runner whose runs can always be evicted."""

    def __init__(self, inner: WorkflowRunner) -> None:
        """Run workflows by `inner`."""
        self._inner = inner

    def prepare_workflow(self, defn: object) -> None:
        """Prepare as the inner runner does."""
        self._inner.prepare_workflow(defn)  # type: ignore[arg-type]  # a private type of the SDK

    def set_worker_level_failure_exception_types(self, types: object) -> None:
        """Pass on to the inner runner."""
        self._inner.set_worker_level_failure_exception_types(types)  # type: ignore[arg-type]  # as its base takes it

    def create_instance(self, det: WorkflowInstanceDetails) -> WorkflowInstance:
        """Return the inner runner's instance, which can always be evicted."""
        return EvictableInstance(self._inner.create_instance(det), det.info)


class EvictableInstance(WorkflowInstance):
    """A workflow instance that is entered by one thread at a time, and whose eviction succeeds in the end."""

    def __init__(self, inner: WorkflowInstance, info: Info) -> None:
        """Run the workflow by `inner`. `info`: of its run."""
        self._inner = inner
        self._context = WorkflowSerializationContext(namespace=info.namespace, workflow_id=info.workflow_id)
        self._one_at_a_time = threading.Lock()
        self._failed = 0

    def activate(self, act: WorkflowActivation) -> WorkflowActivationCompletion:
        """Activate the run once no other thread is in it."""
        with self._one_at_a_time:
            if not any(job.HasField("remove_from_cache") for job in act.jobs):
                return self._inner.activate(act)
            try:
                return self._inner.activate(act)
            except Exception:
                self._failed += 1
                if self._failed < _ATTEMPTS:
                    raise
                return self._give_up(act)

    def _give_up(self, act: WorkflowActivation) -> WorkflowActivationCompletion:
        _given_up.append(self._inner)
        _log.exception(
            "%s (run %s) cannot be removed from memory, because of work that does not end. Nothing is lost: it is"
            " replayed from its history, and its memory is kept until this worker restarts.",
            self._inner.get_info().workflow_id,
            act.run_id,
        )
        completion = WorkflowActivationCompletion(run_id=act.run_id)
        completion.successful.SetInParent()
        return completion

    def get_serialization_context(self, command_info: object) -> SerializationContext | None:
        """Return the workflow's own: it is what the codec binds a payload to (`incidents/app/encryption/codec.py`).

        The SDK asks for each payload, several times. The inner instance would enter the sandbox each time, in a second
        thread: a quarter of a worker's CPU. It would tell more of a command, which our converter does not use.
        """
        return self._context

    def get_external_store_context(self, command_info: object) -> StorageDriverStoreContext:
        """Return an empty one: our payloads are not stored elsewhere."""
        return StorageDriverStoreContext()

    def get_info(self) -> Info:
        """Return the inner instance's."""
        return self._inner.get_info()

    def get_thread_id(self) -> int | None:
        """Return the thread that is in the run."""
        return self._inner.get_thread_id()
