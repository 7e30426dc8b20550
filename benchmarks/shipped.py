"""The settings that are measured: those of production, and runbook.yaml as shipped."""

from incidents.app.runbook_file import load_runbook
from incidents.app.settings import load_settings
from incidents.domain.config.model import RunbookConfig

CACHED = 5_000
"""Workflows that a worker with 4 GB of memory keeps."""
LEFT_OUT = (
    "The vendors: activities answer at once.",
    "The pace that Slack allows (`chat.setup_per_minute`), so that our own speed is seen.",
    "The network, a replicated database, and more than one machine.",
)


def runbook_at_our_pace() -> RunbookConfig:
    """Return runbook.yaml without the pace that Slack allows."""
    runbook = load_runbook(load_settings())
    return runbook.replace(chat=runbook.chat.replace(setup_per_minute=0))
