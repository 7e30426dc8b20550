"""What is wrong with runbook.yaml in this environment: shared by `incident check` and `incident doctor`."""

from dataclasses import dataclass
from pathlib import Path

from incidents.app.composition.pagers import contacts_with_pager
from incidents.app.foresight.scenario_file import check_scenario, find_scenario
from incidents.app.pager_check import missing_pager_warning
from incidents.app.runbook_file import RunbookSource, parse_source, read_source
from incidents.app.settings import Settings
from incidents.domain.config.communication import Channel
from incidents.domain.config.loading import write_places
from incidents.domain.config.model import RunbookConfig
from incidents.domain.config.warnings import SHIPPED_COMPANY, Surroundings, warnings
from incidents.domain.core.errors import RunbookError
from incidents.domain.foresight.scenario import ScenarioError

_SERVED_BY: dict[Channel, tuple[str, ...]] = {
    Channel.STATUS_PAGE: ("statuspage", "status site"),
    Channel.SLACK: ("slack",),
    Channel.EMAIL: ("sendgrid", "smtp"),
    Channel.ISSUE_TRACKER: ("github", "ticket folder"),
    Channel.WEBHOOK: ("webhook",),
}
"""The integrations of each channel, by their names in the settings: one of them is enough."""

_QUARTERLY = ("drill", "quarterly", "scenario")


@dataclass(frozen=True)
class RunbookCheck:
    """A file as it was checked. `faults`: one line each, and then there is no `runbook`. `pager`: nobody can be paged.

    `warnings`: what it probably does not mean, one line each with line and field.
    """

    runbook: RunbookConfig | None = None
    faults: tuple[str, ...] = ()
    pager: str = ""
    warnings: tuple[str, ...] = ()


def check_runbook(source: RunbookSource, settings: Settings) -> RunbookCheck:
    """Read the file, and check it against the settings."""
    try:
        text = read_source(source)
        runbook = parse_source(text, source, settings).runbook
    except RunbookError as error:
        return RunbookCheck(faults=tuple(str(error).splitlines()))
    if fault := _quarterly_fault(runbook, source.folder):
        return RunbookCheck(faults=tuple(write_places(text, source.name, [(_QUARTERLY, fault)])))
    pager, found = missing_pager_warning(settings, runbook), _warnings(text, source.name, settings, runbook)
    return RunbookCheck(runbook, pager=pager, warnings=tuple(found))


def _quarterly_fault(runbook: RunbookConfig, folder: Path) -> str:
    """Return what is wrong with the scenario of the quarterly drill; "" if nothing is."""
    if runbook.drill.quarterly is None:
        return ""
    try:
        check_scenario(find_scenario(runbook.drill.quarterly.scenario, folder), runbook)
    except ScenarioError as error:
        return str(error)
    return ""


def _warnings(text: str, name: str, settings: Settings, runbook: RunbookConfig) -> list[str]:
    return [*write_places(text, name, warnings(runbook, _surroundings(settings))), *_sender(runbook, settings)]


def _surroundings(settings: Settings) -> Surroundings:
    reasons = {found.name: found.reason.removeprefix("error: ") for found in settings.integrations() if not found.on}
    off = {
        channel: " or ".join(reasons[name] for name in names)
        for channel, names in _SERVED_BY.items()
        if all(name in reasons for name in names)
    }
    return Surroundings(channels_off=off, own_pagers=contacts_with_pager(settings))


def _sender(runbook: RunbookConfig, settings: Settings) -> list[str]:
    """Return the warning that mails would come from another company."""
    word = SHIPPED_COMPANY.casefold()
    mails = settings.is_on("sendgrid") or settings.is_on("smtp")
    if not mails or word in runbook.product.casefold() or word not in settings.email_from.casefold():
        return []
    return [f"EMAIL_FROM: mails come from {SHIPPED_COMPANY}, but the product is {runbook.product}"]
