"""The scenarios that are shipped: one for each chapter of the runbook."""

from importlib import resources
from importlib.resources.abc import Traversable

_SUFFIX = ".yaml"


def shipped() -> dict[str, Traversable]:
    """Return the shipped scenarios, by name."""
    folder = resources.files("incidents.app.foresight") / "scenarios"
    found = (file for file in folder.iterdir() if file.name.endswith(_SUFFIX))
    return {file.name.removesuffix(_SUFFIX): file for file in sorted(found, key=lambda file: file.name)}
