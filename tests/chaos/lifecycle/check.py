"""The checker of a run: it holds the sandbox's ledger and the last states to those of an undisturbed run."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from incidents.domain.config.communication import Channel
from incidents.domain.incident.incident import Incident
from incidents.domain.postmortem.postmortem import Postmortem, Stage
from incidents.domain.rollback.state import RollbackStatus
from incidents.domain.updates.state import UpdateKind
from tests.chaos.lifecycle.effects import AT_LEAST_ONCE, Effect, Row, done_at, effect_of, effects, exact_keys, key_of

RECOVERY = timedelta(seconds=45)
"""How long after an outage the program may take to go on: an attempt that died with its process has ten seconds, the
next one may first wait fifteen, and a workflow task has ten."""
EXPLAINED = (
    "notice: Update  was ",
    "notice: Status update  is overdue",
    "notice: Suggested blast radius",
    "standstill-",
)
"""What not every run says: that an update is late; to the operators, that an incident stands still; and which regions
failed their probes at the moment of the investigation."""

CHANNELS = frozenset(Channel)


@dataclass(frozen=True)
class Outcome:
    """How a run ended: the sandbox's ledger, and the last state of the incident and of its post-mortem."""

    rows: list[Row]
    incident: Incident
    postmortem: Postmortem


@dataclass
class Findings:
    """What the checker found. `repeats`: mails that went out again. `late_seconds`: of the latest scheduled update."""

    problems: list[str] = field(default_factory=list)
    repeats: int = 0
    late_seconds: float = 0.0


def check(run: Outcome, calm: Outcome, outage_seconds: float, faults: int) -> Findings:
    """Compare a run with an undisturbed one. `outage_seconds`: of all its processes together."""
    late = latest(run)
    problems = [
        *missing(run, calm),
        *doubled(run),
        *unexpected(run, calm),
        *unkept_claims(run),
        *wrong_ends(run),
        *recorded_failures(run),
    ]
    allowed = latest(calm) + outage_seconds + RECOVERY.total_seconds() * faults
    if late > allowed:
        problems.append(f"an update was {late:.0f} s late, and the outages explain {allowed:.0f} s")
    return Findings(problems, sum(_repeated_mails(run).values()), late)


def missing(run: Outcome, calm: Outcome) -> Iterator[str]:
    """Yield what an undisturbed run did and this one did not."""
    done = effects(run.rows)
    for effect in sorted(effects(calm.rows)):
        if not effect.of_cadence and effect not in done:
            yield f"missing: {effect}"


def doubled(run: Outcome) -> Iterator[str]:
    """Yield what was done more than once although its vendor offers a way to do it once."""
    by_key, by_content = exact_keys(run.rows), effects(row for row in run.rows if not key_of(row))
    for effect, count in sorted((by_key + by_content).items()):
        if count > 1 and not effect.in_place and effect.vendor not in AT_LEAST_ONCE:
            yield f"done {count} times: {effect}"


def unexpected(run: Outcome, calm: Outcome) -> Iterator[str]:
    """Yield what this run did and an undisturbed one did not, unless it says that something was late."""
    known = effects(calm.rows)
    for effect in sorted(effects(run.rows)):
        if effect not in known and not (effect.of_cadence or effect.in_place or effect.about.startswith(EXPLAINED)):
            yield f"not in the undisturbed run: {effect}"


def unkept_claims(run: Outcome) -> Iterator[str]:
    """Yield the updates that the incident believes to be out on a channel, and that are not; and a missing last one."""
    sent = Counter(_update_key(row) for row in run.rows)
    ledger, published = run.incident.ledger, run.incident.updates.published
    for update in published:
        for channel in update.channels:
            key = f"update/{update.sequence}/{channel}"
            if key in ledger.fulfilled and not sent[key]:
                yield f"believed to be out: {key}"
    last = published[-1]
    if last.kind is not UpdateKind.FINAL:
        yield f"the last update is {last.kind}, not the final one"
    for channel in last.channels:
        if not sent[f"update/{last.sequence}/{channel}"]:
            yield f"the final update is not on {channel}"
    dues = Counter(update.due for update in published if update.kind is UpdateKind.SCHEDULED)
    yield from (f"{count} updates were due at {due}" for due, count in dues.items() if count > 1)


def wrong_ends(run: Outcome) -> Iterator[str]:
    """Yield what did not end as it should."""
    if [state.status for state in run.incident.rollback.clusters] != [RollbackStatus.HEALTHY]:
        yield "the rollback is not verified"
    if not run.incident.over:
        yield f"the incident is {run.incident.status}"
    if run.postmortem.stage is not Stage.PUBLISHED:
        yield f"the post-mortem is {run.postmortem.stage}"


def recorded_failures(run: Outcome) -> Iterator[str]:
    """Yield each duty that was given up. Every fault of a run passes within the time for retries: none may be."""
    for failure in (*run.incident.ledger.failures, *run.postmortem.ledger.failures):
        yield f"given up: {failure.key}: {failure.described}"


def latest(run: Outcome) -> float:
    """Return how many seconds after its due time the latest scheduled update came out on its first channel."""
    first: dict[str, datetime] = {}
    for row in run.rows:
        update, _, channel = _update_key(row).rpartition("/")
        if channel in CHANNELS:  # and not its reminder, which comes earlier
            first.setdefault(update, done_at(row))
    scheduled = [update for update in run.incident.updates.published if update.kind is UpdateKind.SCHEDULED]
    waits = (first[key] - update.due for update in scheduled if (key := f"update/{update.sequence}") in first)
    return max((wait.total_seconds() for wait in waits), default=0.0)


def _repeated_mails(run: Outcome) -> Counter[Effect]:
    counts = exact_keys(row for row in run.rows if row["vendor"] in AT_LEAST_ONCE)
    return counts - Counter(dict.fromkeys(counts, 1))


def _update_key(row: Row) -> str:
    """Return `update/7/slack` of an update, or another effect's key without its run."""
    return effect_of(row).about.partition(" ")[0]
