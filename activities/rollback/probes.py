"""Probe a region: send each probe of runbook.yaml, with credentials that are read when they are needed."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

from incidents.domain.config.model import Region
from incidents.domain.config.probes import Probe, credentials_proven, describe_unset
from incidents.domain.rollback.verification import ProbeResult
from incidents.vendors.product.probe import ProbeClient

NO_PROBES = "the runbook of this incident has no probes"
_UNAUTHORIZED = 401
_SECRET_LENGTH = 6
"""Characters of a variable's value from which on an answer that holds it is not quoted."""


@dataclass(frozen=True)
class ProbeAnswer:
    """What one probe of a region found. `problem`: a predicate of the probe's name, or "" if all is well.

    `measured` is false when the probe itself failed: it tells nothing about the region.
    """

    probe: Probe
    elapsed_ms: float
    problem: str = ""
    measured: bool = True


class RegionProbes:
    """Sends probes. `read_variable` returns the value of an environment variable, "" if it is not set."""

    def __init__(self, client: ProbeClient, read_variable: Callable[[str], str]) -> None:
        self._client, self._read_variable = client, read_variable
        self._accepted_at: dict[tuple[str, str], datetime] = {}

    def send(self, probes: tuple[Probe, ...], region: Region, *, proven: bool = False) -> list[ProbeAnswer]:
        """Send every probe once. `proven`: the credentials are known to have worked, such as for the baseline."""
        return [self._send(probe, region, proven) for probe in probes]

    def look(self, probes: tuple[Probe, ...], region: Region, *, proven: bool = False) -> ProbeResult:
        """Probe a region once, for a verification or the baseline. Without probes nothing is measured."""
        at = datetime.now(UTC)
        answers = self.send(probes, region, proven=proven)
        timed = [a.elapsed_ms for a in answers if a.probe.measures_latency and not a.problem]
        return ProbeResult(
            at=at,
            healthy=bool(answers) and not any(answer.problem for answer in answers),
            elapsed_ms=timed[0] if timed else None,
            problem=describe_problems(answers) if answers else NO_PROBES,
            measured=tells_of_region(answers),
        )

    def _send(self, probe: Probe, region: Region, proven: bool) -> ProbeAnswer:
        values = {name: self._read_variable(name) for name in probe.variables}
        if unset := describe_unset(name for name, value in values.items() if not value):
            return ProbeAnswer(probe, 0.0, f"cannot be sent: {unset}", measured=False)
        url = region.address(probe)
        answer = self._client.send(probe.method, url, probe.filled_headers(values), probe.body)
        if answer.status is None:
            return ProbeAnswer(probe, answer.elapsed_ms, answer.trouble, measured=not answer.unsent)
        problem = probe.fault(answer.status, answer.body)
        if not problem:
            self._accepted_at[probe.name, url] = datetime.now(UTC)
        elif answer.status == _UNAUTHORIZED and probe.variables:
            problem = self._unauthorized(probe, url, proven)
            return ProbeAnswer(probe, answer.elapsed_ms, problem, measured=False)
        elif any(len(value) >= _SECRET_LENGTH and value.encode() in answer.body for value in values.values()):
            problem = f"answered {answer.status}, with a text that repeats its credentials"
        return ProbeAnswer(probe, answer.elapsed_ms, problem)

    def _unauthorized(self, probe: Probe, url: str, proven: bool) -> str:
        """Say what a 401 means. Credentials that worked are not called rejected: the service may be unable to check."""
        names = " and ".join(probe.variables)
        accepted_at = self._accepted_at.get((probe.name, url))
        if proven or credentials_proven(accepted_at, datetime.now(UTC)):
            return (
                f"answered 401, but {names} worked before (the service's database may be down, or the key was revoked)"
            )
        return f"answered 401 (it rejected {names})"


def tells_of_region(answers: list[ProbeAnswer]) -> bool:
    """Tell whether the answers prove anything: all probes were measured, or one that was measured failed."""
    measured = [answer for answer in answers if answer.measured]
    return bool(measured) and (len(measured) == len(answers) or any(answer.problem for answer in measured))


def describe_problems(answers: list[ProbeAnswer]) -> str:
    """Return the problems in one line, one clause for probes that failed alike; "" if there are none."""
    alike: dict[str, list[str]] = {}
    for answer in answers:
        if answer.problem:
            alike.setdefault(answer.problem, []).append(answer.probe.name)
    return ", ".join(f"{' and '.join(names)} {problem}" for problem, names in alike.items())
