"""What readings of Temporal mean: namespace, search attributes, workers, workflows, schedules."""

import re
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from enum import StrEnum
from typing import assert_never

from incidents.domain.config.model import RunbookConfig
from incidents.domain.core.base import Frozen
from incidents.domain.core.time.duration import Term
from incidents.domain.core.time.elapsed import in_words
from incidents.domain.doctor.finding import Finding, error, ok, unknown, warning
from incidents.domain.standstill import Reason, Standstill, how_long, remedy, what_happened

MANY_ATTEMPTS = 10
"""Failed attempts of an activity from which it retries for long: some minutes, with the pauses between them."""
OLD_BACKLOG = timedelta(minutes=1)
"""Age of the oldest waiting task from which the workers of a queue do not keep up."""
NAMESPACE, ATTRIBUTES, WORKERS, WORKFLOWS = "namespace", "search attributes", "workers", "workflows"
VERSION = "worker version"
ACTIVITIES, SCHEDULES, HEARTBEATS = "activities", "schedules", "heartbeats"
_SHOWN = 5
_SETUP = re.compile(r"-setup-.*")
_START_WORKER = "Start a worker (`incident-worker`)"


class QueueReading(Frozen):
    """A task queue of one kind, `workflow` or `activity`.

    `workers`: the identity of each worker that polls it, and its version or build. `backlog_age`: of the oldest waiting
    task, of any version.
    """

    name: str
    kind: str
    workers: dict[str, str]
    backlog: int = 0
    backlog_age: timedelta = timedelta()


class VersionStatus(StrEnum):
    """What a version of workers is used for. Versions that nothing is left for are not read."""

    CURRENT = "current"
    RAMPING = "ramping"
    DRAINING = "draining"


class DeploymentReading(Frozen):
    """A worker deployment, and the task queue that its versions should poll.

    `current`: the build of its current version; "" for none, None if Temporal does not know the deployment. `unpolled`:
    builds that are used, without a worker that polls the queue.
    """

    name: str
    queue: str
    current: str | None
    unpolled: dict[str, VersionStatus] = {}


def check_namespace(name: str, retention: timedelta, runbook: RunbookConfig) -> Finding:
    """Compare the retention with the time for which a closed incident is still needed."""
    needed = needed_retention(runbook)
    kept = f"{name} keeps closed workflows for {in_words(retention)}"
    if retention >= needed:
        return ok(NAMESPACE, kept)
    return warning(
        NAMESPACE,
        f"{kept}: closed incidents are gone before their post-mortem's last deadline ({in_words(needed)})",
        f"temporal operator namespace update -n {name} --retention 90d",
    )


def needed_retention(runbook: RunbookConfig) -> timedelta:
    """Return how long a closed incident is needed: until its post-mortem is overdue and the executive was notified."""
    rules = runbook.postmortem
    return _longest(rules.within) + rules.executive_after


def _longest(term: Term) -> timedelta:
    """Return the longest time of a term: a week has five business days at most, and holidays may take one more."""
    if term.business_days is None:
        return term.elapsed or timedelta()
    return timedelta(weeks=term.business_days // 5 + 1 + bool(term.business_days % 5))


def no_namespace(name: str) -> Finding:
    """Return that the namespace does not exist."""
    return error(
        NAMESPACE,
        f"There is no namespace {name}: no incident can be opened",
        f"Set TEMPORAL_NAMESPACE, or: temporal operator namespace create -n {name} --retention 90d",
    )


def check_attributes(expected: Mapping[str, str], found: Mapping[str, str], namespace: str) -> list[Finding]:
    """Compare search attributes by name and type; a workflow that sets one that is not registered fails its tasks."""
    missing = [name for name in expected if name not in found]
    wrong = [name for name, kind in expected.items() if found.get(name, kind) != kind]
    findings = []
    if missing:
        findings.append(
            error(
                ATTRIBUTES,
                f"Not registered: {_some(missing)}. Incidents get stuck when they set one",
                f"Start a worker, or: temporal operator search-attribute create -n {namespace}"
                f" --name {missing[0]} --type {expected[missing[0]]}",
            )
        )
    findings += [
        error(
            ATTRIBUTES,
            f"{name} has the type {found[name]} instead of {expected[name]}",
            f"temporal operator search-attribute remove -n {namespace} --name {name}; then start a worker",
        )
        for name in wrong
    ]
    return findings or [ok(ATTRIBUTES, f"all {len(expected)} registered")]


def check_workers(queues: Sequence[QueueReading]) -> list[Finding]:
    """Return the queues that nobody polls or whose tasks wait, and the versions of the workers."""
    findings = []
    if idle := list(dict.fromkeys(queue.name for queue in queues if not queue.workers)):
        what = f"No worker polls {_some(_together(idle))}: what is sent there waits"
        remedy = f"{_START_WORKER} with the same TEMPORAL_*"
        findings.append(error(WORKERS, what, remedy))
    findings += [
        warning(
            WORKERS,
            f"{queue.backlog} {queue.kind} tasks wait on {queue.name}, the oldest for {in_words(queue.backlog_age)}",
            "Start more workers, or find out what holds them up (`incident stuck`)",
        )
        for queue in queues
        if queue.workers and queue.backlog and queue.backlog_age > OLD_BACKLOG
    ]
    return findings or [ok(WORKERS, _workers(queues))]


def _workers(queues: Sequence[QueueReading]) -> str:
    versions = {identity: version for queue in queues for identity, version in queue.workers.items()}
    distinct = sorted({version for version in versions.values() if version})
    number = f"{len(versions)} worker{'s' if len(versions) != 1 else ''}"
    if not distinct:
        return number
    return f"{number}, version{'s' if len(distinct) != 1 else ''} {_some(distinct)}"


def check_version(read: DeploymentReading) -> list[Finding]:
    """Return whether a version is current, and which versions have work that no worker takes."""
    findings = [_unpolled(read, build, status) for build, status in read.unpolled.items()]
    if not read.current:
        findings.append(_no_current(read))
    return findings or [ok(VERSION, f"{read.current} is the current version of {read.name}")]


def _no_current(read: DeploymentReading) -> Finding:
    what = f"The deployment {read.name} has no current version: its workers get no tasks"
    if read.current is None:
        what = f"Temporal knows no deployment {read.name}: no worker of it has polled"
    return error(VERSION, what, _set_current(read))


def _unpolled(read: DeploymentReading, build: str, status: VersionStatus) -> Finding:
    start = f"{_START_WORKER} with WORKER_BUILD_ID={build}"
    match status:
        case VersionStatus.CURRENT | VersionStatus.RAMPING:
            what = f"No worker of {build}, the {status} version of {read.name}, polls {read.queue}: new incidents wait"
            return error(VERSION, what, f"{start}, or make another current: {_set_current(read)}")
        case VersionStatus.DRAINING:
            what = f"Incidents of version {build} are open, and no worker of it polls {read.queue}: they stand still"
            move = "temporal workflow update-options --versioning-override-behavior auto_upgrade"
            return error(VERSION, what, f"{start}, or move each: {move} --workflow-id incident-…")
        case _:
            assert_never(status)


def _set_current(read: DeploymentReading) -> str:
    return f"temporal worker deployment set-current-version --deployment-name {read.name} --build-id …"


def check_stuck(stuck: Standstill, at: datetime) -> Finding:
    """Return what `incident stuck` lists: an error, unless an operator holds it."""
    failure = f" ({stuck.failure})" if stuck.failure else ""
    make = warning if stuck.reason is Reason.PAUSED else error
    return make(WORKFLOWS, f"{stuck.name}, for {how_long(stuck, at)}: {what_happened(stuck)}{failure}", remedy(stuck))


def retries_for_long(failed_attempts: int) -> bool:
    """Tell whether an activity has been retried for so long that no passing failure explains it."""
    return failed_attempts >= MANY_ATTEMPTS


def check_retry(name: str, typed: str, line: str) -> Finding:
    """Return an activity that keeps failing. `line`: what it does, how often it failed and why."""
    return warning(ACTIVITIES, f"{name}: {line}", f"Fix the cause, or do it by hand: `incident show {typed}`")


def all_read(workflows: int, found: Sequence[Finding]) -> list[Finding]:
    """Return that all is well with those of workflows and activities of which nothing was found."""
    bad = {finding.check for finding in found}
    of = f"{workflows} open workflow{'s' if workflows != 1 else ''}"
    said = {WORKFLOWS: f"none of {of} is stuck", ACTIVITIES: f"none of {of} retries for long"}
    return [ok(check, words) for check, words in said.items() if check not in bad]


def partly_read(workflows: int, seconds: float) -> Finding:
    """Return that not all open workflows could be read in time."""
    what = f"Only {workflows} open workflows were read within {seconds:g} s"
    return unknown(WORKFLOWS, what, "`incident stuck` reads them all")


def check_recorder(name: str, *, wanted: bool, exists: bool) -> list[Finding]:
    """Return whether the schedule of the latency baseline recorder is there, if the runbook has regions."""
    if not wanted or exists:
        return []
    return [
        warning(
            SCHEDULES,
            f"There is no schedule {name}: rollbacks may end inconclusive",
            f"{_START_WORKER} with the variables of the runbook's probes set",
        )
    ]


def check_schedules(paused: Sequence[str], number: int, found: Sequence[Finding]) -> list[Finding]:
    """Return the schedules that somebody paused; if nothing else was found either, that all run."""
    findings = [
        warning(SCHEDULES, f"The schedule {name} is paused", f"temporal schedule toggle --unpause -s {name}")
        for name in paused
    ]
    if findings or found:
        return findings
    return [ok(SCHEDULES, f"{number} running" if number else "none, and the runbook needs none")]


def check_heartbeats(missing: Sequence[str], wanted: Sequence[str]) -> list[Finding]:
    """Return the heartbeats of the runbook that nobody watches."""
    if not wanted:
        return []
    if missing:
        return [error(HEARTBEATS, f"Not watched: {_some(missing)}", f"{_START_WORKER}: it starts the watches")]
    return [ok(HEARTBEATS, f"all {len(wanted)} watched")]


def _together(queues: Sequence[str]) -> list[str]:
    """Return the queues' names, those of one prefix in one: channel setup has a queue for each kind of call."""
    named = {queue: _SETUP.sub("-setup-*", queue) for queue in queues}
    names = list(named.values())
    return list(dict.fromkeys(name if names.count(name) > 1 else queue for queue, name in named.items()))


def _some(names: Sequence[str]) -> str:
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return ", ".join(names[:_SHOWN]) + more
