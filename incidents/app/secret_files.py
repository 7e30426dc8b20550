"""Secrets as files: `NAME_FILE` names a file that holds what the variable NAME would.

Docker and Kubernetes hand secrets over so: a file is not in the environment of child processes, nor in `docker
inspect`. An empty file counts as unset, as an empty variable does. No model is imported: the command line reads its
keys here.
"""

import os
from collections.abc import Iterable, Mapping
from pathlib import Path

SUFFIX = "_FILE"
_LONGEST = 65_536
"""Bytes of a secret. A larger file is another one."""


class SecretFileError(ValueError):
    """A file of a secret cannot be used. One line for each, and never what it holds."""


def read_secret(name: str, environ: Mapping[str, str] = os.environ) -> str:
    """Return what the variable, or the file of `NAME_FILE`, holds, without blanks around it; "" if neither is set.

    Raises:
        SecretFileError: both are set, or the file cannot be read.
    """
    value, path = environ.get(name, "").strip(), environ.get(name + SUFFIX, "").strip()
    if not path:
        return value
    held = _read(name + SUFFIX, Path(path))
    if value and held:
        raise SecretFileError(f"{name} and {name}{SUFFIX} are both set: unset one")
    return held or value


def read_secrets(names: Iterable[str], environ: Mapping[str, str] = os.environ) -> dict[str, str]:
    """Return the secrets that files hold, by their variables' names.

    Raises:
        SecretFileError: some cannot be used; all of them are named.
    """
    found, faults = {}, []
    for name in names:
        if not environ.get(name + SUFFIX, "").strip():
            continue
        try:
            found[name] = read_secret(name, environ)
        except SecretFileError as fault:
            faults.append(str(fault))
    if faults:
        raise SecretFileError("; ".join(faults))
    return found


def _read(variable: str, path: Path) -> str:
    try:
        with path.open("rb") as file:
            text = file.read(_LONGEST + 1)
    except OSError as error:
        raise SecretFileError(f"{variable} cannot be read: {error.strerror or 'no such file'}") from None
    if len(text) > _LONGEST:
        raise SecretFileError(f"{variable} names a file of more than {_LONGEST} bytes: is it the right one?")
    try:
        return text.decode("utf-8").strip()
    except UnicodeDecodeError:
        raise SecretFileError(f"{variable} names a file that is not UTF-8") from None
