"""The runbook's file: where the environment says it is, with the addresses that the environment says."""

from runbook.base import RunbookError
from runbook.loading import parse_runbook
from runbook.policy import Runbook
from settings import Settings


def load_runbook(settings: Settings) -> Runbook:
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
    return runbook.but(regions=tuple(region.but(url=urls.get(region.name, region.url)) for region in runbook.regions))
