"""What of a runbook a rehearsal changes, so that it fits the sandbox and the time-skipping server."""

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import certifi

from incidents.domain.config.model import RunbookConfig
from incidents.domain.postmortem.config import PostmortemPolicy, Proposal
from sandbox.server import RunningSandbox
from sandbox.vendors.product import REGIONS

_SHIFT = timedelta(minutes=7)
_LOOKS = timedelta(hours=11, minutes=7)
_POLL = timedelta(minutes=11)
_QUICK: dict[str, Any] = {
    "probe_interval": timedelta(milliseconds=20),
    "window": timedelta(milliseconds=100),
    "healthy_probes": 2,
    "min_samples": 2,
    "latency_slack_ms": 4000,
    "give_up_after": timedelta(seconds=1),
}
"""How a rollback is verified: the probes of one activity, which take real time, on a machine that may be busy."""


def variables(runbook: RunbookConfig, sandbox: RunningSandbox, folder: Path) -> dict[str, str]:
    """Return the environment in which every integration is the sandbox's. Each region has one of its products.

    `folder`: for evidence, and for one root certificate: each client would read all of them, which takes long, and the
    sandbox has no TLS.
    """
    roots, end = folder / "root.pem", "-----END CERTIFICATE-----\n"
    roots.write_text(Path(certifi.where()).read_text(encoding="utf-8").partition(end)[0] + end, encoding="utf-8")
    url = sandbox.url
    probes = {region: f"{url}/product/{at}" for region, at in products(runbook).items()}
    own = {"EVIDENCE_URL": (folder / "evidence").as_uri(), "HTTP_TIMEOUT_SECONDS": "9", "SSL_CERT_FILE": str(roots)}
    own["PROBE_URLS"] = json.dumps(probes)
    # Virtual time does not wait for a busy machine, and the SDK's detector of deadlocks takes that for one.
    return sandbox.environment() | own | {"TEMPORAL_DEBUG": "1"}


def products(runbook: RunbookConfig) -> dict[str, str]:
    """Return which of the sandbox's two products stands for each region; regions of other names share them."""
    names = [region.name for region in runbook.regions]
    return {name: name if name in REGIONS else REGIONS[place % 2] for place, name in enumerate(names)}


def fitted(runbook: RunbookConfig, sandbox: RunningSandbox) -> RunbookConfig:
    """Return the runbook as it can be rehearsed.

    The sandbox's digest channel is the runbook's if it has one, and nothing waits for the pace of channel setup, which
    has a queue of its own. A rollback is verified with few probes, which take real
    time. Alerts are asked for, and issues read, less often: each look takes real time. No time-out of
    two obligations coincides: the server loses a workflow task when two timers fire together.
    """
    digest = next(row["id"] for row in sandbox.state()["slack"]["channels"] if row["name"] == "incidents")
    chat = runbook.chat.replace(digest_channel=digest if runbook.chat.digest_channel else "", setup_per_minute=0)
    paging = runbook.paging.replace(check_alerts_every=_POLL)
    rollback = runbook.rollback.replace(**_QUICK)
    quick = runbook.replace(chat=chat, paging=paging, rollback=rollback, postmortem=calm(runbook.postmortem))
    return closing_alone(quick)


def calm(rules: PostmortemPolicy) -> PostmortemPolicy:
    """Return the rules with few looks at issues and none at pull requests: each is an attempt that takes real time."""
    return rules.replace(proposal=Proposal.NONE, items=rules.items.replace(check_every=_LOOKS))


def closing_alone(runbook: RunbookConfig) -> RunbookConfig:
    """Return the runbook with reopen windows that do not end with the first reminder of the post-mortem.

    The incident then signals to the post-mortem, and this server loses a signal that arrives together with a timer.
    """
    later = {
        name: policy.replace(reopen_window=policy.reopen_window + _SHIFT) if policy.postmortem else policy
        for name, policy in runbook.severities.items()
    }
    return runbook.replace(severities=later)
