"""How long a rollback can take at most: the sum of what each of its steps is given."""

import math
from datetime import datetime, timedelta

from incidents.domain.rollback.config import Rollback, longest_deployment
from incidents.domain.rollback.state import RollbackState

LOOK_WITHIN = timedelta(minutes=3)
"""How long a look at the cluster, or the search for a missing baseline, is retried."""

REDEPLOY_WITHIN = timedelta(minutes=10)
"""How long the order of the redeployment is retried."""


def longest_rollback(rules: Rollback) -> timedelta:
    """Return how long a rollback takes at most: evidence, look, redeployment, baseline, verification."""
    deployed = REDEPLOY_WITHIN + longest_deployment(rules)
    return rules.evidence_budget + LOOK_WITHIN + deployed + LOOK_WITHIN + rules.give_up_after


def ends_by(state: RollbackState, rules: Rollback) -> datetime:
    """Return when a rollback that was decided has ended at the latest (workflow time)."""
    return (state.decided_at or state.since) + longest_rollback(rules)


def time_left(state: RollbackState, rules: Rollback, at: datetime) -> timedelta:
    """Return the longest time until a running rollback has its verdict, in whole minutes, at least one."""
    if state.verifying_since is not None:
        left = state.verifying_since + rules.give_up_after - at
    else:
        left = longest_deployment(rules) + LOOK_WITHIN + rules.give_up_after
        left += timedelta() if state.ordered else rules.evidence_budget + LOOK_WITHIN + REDEPLOY_WITHIN
    return timedelta(minutes=max(math.ceil(left / timedelta(minutes=1)), 1))
