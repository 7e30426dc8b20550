"""Whether this process and the workers can read what the other one writes."""

from incidents.domain.core.base import Frozen
from incidents.domain.doctor.finding import Finding, error, ok, unknown

ENCRYPTION = "encryption"
_COMPARE = "Give this process and the workers the same PAYLOAD_KEYS (docs/encryption.md)"


class KeyReading(Frozen):
    """What was tried with the payloads at Temporal.

    `key`: the id of the key that encrypts here; "" for none. `read`: payloads of workers that could be decrypted.
    `unreadable`: why one could not. `worker_key`: the id of the key of the newest one; "" if it is in clear text, None
    if there is none.
    `answered`: whether a worker answered a query that this process had encrypted; None if there was none to ask.
    `refusal`: why it did not.
    """

    key: str = ""
    read: int = 0
    unreadable: str = ""
    worker_key: str | None = None
    answered: bool | None = None
    refusal: str = ""


def check_keys(reading: KeyReading) -> Finding:
    """Return whether what this process starts can be read by workers, and the other way round."""
    ours = f"the key {reading.key}" if reading.key else "no key"
    if reading.unreadable:
        return error(ENCRYPTION, f"This process cannot read what workers wrote: {reading.unreadable}", _COMPARE)
    if reading.answered is False:
        what = f"Workers cannot read what this process encrypts with {ours}: {reading.refusal}"
        return error(ENCRYPTION, f"{what}. An incident that it opens would be stuck", _COMPARE)
    if reading.worker_key is not None and not reading.worker_key and reading.key:
        what = f"Workers write clear text, and this process encrypts with {ours}"
        return error(ENCRYPTION, what, _COMPARE)
    if reading.answered is None and reading.worker_key != reading.key:
        if reading.worker_key is None:
            return unknown(ENCRYPTION, "There is no workflow yet by which to compare keys", "Try again once one ran")
        what = f"Workers encrypt with {reading.worker_key}, this process with {ours}; no worker could be asked"
        return unknown(ENCRYPTION, what, _COMPARE)
    return ok(ENCRYPTION, f"{ours} here, and workers read it" if reading.key else "off here and at the workers")
