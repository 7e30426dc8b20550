"""What runbook.yaml says of rollbacks: who deploys, when one is offered, and what proves that it worked."""

import re
from datetime import timedelta
from enum import StrEnum
from typing import assert_never

from pydantic import Field, field_validator, model_validator

from incidents.domain.core.base import Frozen
from incidents.domain.core.time.duration import Duration

ANSWERS_WITHIN = timedelta(minutes=1)
"""A deployer that reports no completion is asked once whether it has the deployment."""


class RollbackPolicy(StrEnum):
    """Who decides that a suspect deployment is rolled back: the program, one person, two people, or nobody."""

    AUTOMATIC = "automatic"
    APPROVE = "approve"
    TWO_PEOPLE = "two_people"
    NEVER = "never"


class Deployer(StrEnum):
    """The system that deploys a version and has the deployment history."""

    OPS_PORTAL = "ops_portal"
    GITHUB_ACTIONS = "github_actions"


class GitHubActions(Frozen):
    """The workflow that deploys. `title` finds the version in a run's title: a run's inputs are not listed.

    `extra`: further inputs of the dispatch. `finish_within`: how long a run may take.
    """

    workflow: str = "cd.yml"
    ref: str = "main"
    title: str = r"(?P<version>\b[0-9a-f]{40}\b|\bv\d[\w.+-]*)"
    extra: dict[str, str] = {}
    finish_within: Duration = timedelta(minutes=10)

    @field_validator("title")
    @classmethod
    def _names_a_version(cls, title: str) -> str:
        if "version" not in _compiled(title).groupindex:
            raise ValueError("title needs a group (?P<version>...) that finds the version in the title of a run")
        return title


class BaselineRules(Frozen):
    """Source of the latency baseline: PromQL or spans if they are configured, else our own recorder.

    `window`: how long before the suspect deployment is looked at. `prometheus`: "p50" and "p95" in seconds, with
    `{region}` for the region's name. `signoz_span`: the span whose durations count.
    """

    window: Duration = timedelta(hours=1)
    min_samples: int = Field(default=20, ge=2)
    prometheus: dict[str, str] = {}
    signoz_span: str = ""

    @field_validator("prometheus")
    @classmethod
    def _both(cls, queries: dict[str, str]) -> dict[str, str]:
        if queries and set(queries) != {"p50", "p95"}:
            raise ValueError("name both p50 and p95, or neither")
        return queries


class RecorderRules(Frozen):
    """Latency baseline recorder: `probes` of each region, `every` so often; samples older than `keep` are dropped."""

    every: Duration = timedelta(minutes=5)
    probes: int = Field(default=5, ge=1)
    keep: Duration = timedelta(hours=6)

    @field_validator("every")
    @classmethod
    def _not_a_storm(cls, every: timedelta) -> timedelta:
        if every < timedelta(seconds=1):
            raise ValueError("every must be at least 1s")
        return every


class Rollback(Frozen):
    """When a rollback is offered, who deploys it, and what proves that it worked (runbook, "Rollback Procedures").

    `clock_tolerance`: the clocks of the pipeline and of the monitoring may differ by this much; a deployment that began
    so shortly after the alert is a suspect, too.
    """

    deployer: Deployer = Deployer.OPS_PORTAL
    github: GitHubActions = GitHubActions()
    suspicion_window: Duration = timedelta(hours=2)
    clock_tolerance: Duration = timedelta(minutes=1)
    bake_time: Duration = timedelta(minutes=30)
    irreversible: tuple[str, ...] = ()
    diff_url: str = ""
    approve_within: Duration = timedelta(minutes=15)
    second_attempt: bool = False
    freeze_channel: str = ""
    evidence_budget: Duration = timedelta(seconds=60)
    healthy_probes: int = Field(default=5, ge=1)
    probe_interval: Duration = timedelta(seconds=5)
    window: Duration = timedelta(minutes=2)
    min_samples: int = Field(default=10, ge=1)
    latency_tolerance: float = Field(default=1.5, ge=1)
    latency_slack_ms: float = Field(default=10, ge=0)
    give_up_after: Duration = timedelta(minutes=10)
    baseline: BaselineRules = BaselineRules()
    recorder: RecorderRules = RecorderRules()

    @field_validator("irreversible")
    @classmethod
    def _patterns(cls, patterns: tuple[str, ...]) -> tuple[str, ...]:
        for pattern in patterns:
            _compiled(pattern)
        return patterns

    @field_validator("diff_url")
    @classmethod
    def _known_names(cls, url: str) -> str:
        try:
            url.format(candidate="", suspect="")
        except (KeyError, IndexError, ValueError):
            raise ValueError("diff_url may hold {candidate} and {suspect}, and no other braces") from None
        return url

    @model_validator(mode="after")
    def _time_to_judge(self) -> "Rollback":
        if self.give_up_after < self.window:
            raise ValueError("give_up_after must not be shorter than window: no region could ever be judged healthy")
        return self


def longest_deployment(rules: Rollback) -> timedelta:
    """Return how long a deployment is followed at most."""
    match rules.deployer:
        case Deployer.OPS_PORTAL:
            return ANSWERS_WITHIN
        case Deployer.GITHUB_ACTIONS:
            return rules.github.finish_within
        case deployer:
            assert_never(deployer)


def _compiled(pattern: str) -> re.Pattern[str]:
    try:
        return re.compile(pattern)
    except re.error as error:
        raise ValueError(f"{pattern!r} is not a regular expression: {error}") from None
