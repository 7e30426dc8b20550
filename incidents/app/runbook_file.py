"""The runbook's file: where the environment says it is, with the addresses that the environment says."""

from incidents.app.settings import Settings
from incidents.domain.config.loading import parse_runbook
from incidents.domain.config.model import RunbookConfig
from incidents.domain.core.base import RunbookError


def load_runbook(settings: Settings) -> RunbookConfig:
    """Return the runbook of `RUNBOOK_FILE`, with the regions' addresses of `PROBE_URLS` where it gives some.

    Raises:
        RunbookError: the file cannot be read or is not a runbook; one line for each fault.
    """
    path = settings.runbook_file
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise RunbookError(f"{path}: cannot be read: {getattr(error, 'strerror', None) or 'not UTF-8'}") from None
    runbook = parse_runbook(text, str(path))
    urls = settings.probe_urls
    return runbook.replace(
        regions=tuple(region.replace(url=urls.get(region.name, region.url)) for region in runbook.regions)
    )
