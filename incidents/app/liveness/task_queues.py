"""Who polls a task queue and what waits there, of workers with and without versions.

Temporal's "enhanced" description leaves out all that belongs to a version which the request does not name, so the plain
one is asked. It counts what waits in all partitions of the queue, for any version. Pollers it lists of the root
partition only; but each other partition forwards polls to the root, so that none is without any.
"""

from datetime import timedelta

from temporalio.api.deployment.v1 import WorkerDeploymentVersion
from temporalio.api.enums.v1 import TaskQueueType, WorkerVersioningMode
from temporalio.api.taskqueue.v1 import PollerInfo, TaskQueue
from temporalio.api.workflowservice.v1 import DescribeTaskQueueRequest, DescribeTaskQueueResponse
from temporalio.client import Client

KINDS = {
    "workflow": TaskQueueType.TASK_QUEUE_TYPE_WORKFLOW,
    "activity": TaskQueueType.TASK_QUEUE_TYPE_ACTIVITY,
}
"""The types of tasks, by their names for people."""
POLL = timedelta(seconds=75)
"""A worker that polls, and gets nothing, asks again after at most 60 s."""


async def describe_queue(client: Client, name: str, kind: str, within: timedelta) -> DescribeTaskQueueResponse:
    """Return the pollers and the backlog of a task queue, of all versions. `kind`: a name of `KINDS`.

    Raises:
        RPCError: Temporal does not answer within that time; RuntimeError while a lazy client is not connected.
    """
    request = DescribeTaskQueueRequest(
        namespace=client.namespace, task_queue=TaskQueue(name=name), task_queue_type=KINDS[kind], report_stats=True
    )
    return await client.workflow_service.describe_task_queue(request, timeout=within)


async def recent_pollers(client: Client, name: str, kind: str, within: timedelta) -> set[str]:
    """Return the identities of the workers that poll a task queue, of all versions. Arguments as of `describe_queue`.

    Temporal names a poller until five minutes after its last poll. Who has not polled for longer than a poll takes is
    gone.

    Raises:
        RPCError, RuntimeError: as `describe_queue`.
    """
    pollers = (await describe_queue(client, name, kind, within)).pollers
    newest = max((poller.last_access_time.ToSeconds() for poller in pollers), default=0)
    oldest = newest - POLL.total_seconds()
    return {poller.identity for poller in pollers if poller.last_access_time.ToSeconds() > oldest}


def version_name(deployment: str, build: str) -> str:
    """Return a version as Temporal's command line shows it; "" for none."""
    return f"{deployment}.{build}" if deployment else build


def version_of(poller: PollerInfo) -> str:
    """Return the version by which tasks reach a poller; "" if it has none."""
    options = poller.deployment_options
    if options.worker_versioning_mode != WorkerVersioningMode.WORKER_VERSIONING_MODE_VERSIONED:
        return ""
    return version_name(options.deployment_name, options.build_id)


def new_work_goes_to(queue: DescribeTaskQueueResponse) -> set[str]:
    """Return the versions that get the tasks of new workflows; "" is workers without one, if no version is current."""
    info = queue.versioning_info
    versions: list[WorkerDeploymentVersion] = [info.current_deployment_version]
    if info.ramping_version_percentage:
        versions.append(info.ramping_deployment_version)
    return {version_name(version.deployment_name, version.build_id) for version in versions}


def takes_new_work(poller: PollerInfo, queue: DescribeTaskQueueResponse) -> bool:
    """Tell whether a poller of the queue gets the tasks of new workflows."""
    return version_of(poller) in new_work_goes_to(queue)
