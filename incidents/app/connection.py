"""Connect to Temporal, and run and exit a program."""

import asyncio
import functools
import os
import sys
from collections.abc import Coroutine, Sequence
from datetime import timedelta
from typing import Any, NoReturn

from temporalio.client import Client, Interceptor, RetryConfig
from temporalio.converter import DataConverter
from temporalio.envconfig import ClientConfig, ClientConnectConfig
from temporalio.runtime import Runtime, TelemetryConfig
from temporalio.service import RPCError, RPCStatusCode

from incidents.app.command_line.error_output import code_of, print_error
from incidents.app.encryption.converter import encrypting
from incidents.app.secret_files import SecretFileError, read_secrets
from incidents.app.telemetry.core_logs import core_logging
from incidents.app.temporal_settings import Server, SettingsError
from incidents.client.problems import ConnectionProblem, Undecryptable
from incidents.domain.core.errors import RunbookError
from incidents.domain.core.text.untrusted import one_line, printable

TIMEOUT = timedelta(seconds=10)
"""How long to try to reach Temporal before saying so."""

_LONGEST = 1200
"""Characters of a problem that is printed: it may quote what was typed."""


async def connect(
    settings: Server,
    converter: DataConverter | None = None,
    *,
    lazy: bool = False,
    measured: Runtime | None = None,
    interceptors: Sequence[Interceptor] = (),
) -> Client:
    """Return a client for the namespace that the environment names, with TLS and API key as it says.

    Without `converter` its payloads are our models, whose import takes a client that reads none too long. Either way
    they are encrypted with the keys of the settings. `lazy`: it connects with its first call, so that what must run
    without Temporal can start (`check_connection`). `measured`: a runtime with metrics. `interceptors`: of the client,
    and of its workers.

    Raises:
        ConnectionProblem: no answer within `TIMEOUT`, or the configuration of the connection cannot be used.
    """
    config = _client_config(settings)
    encrypted = encrypting(converter or _models_converter(), settings.key_ring)  # not within the timeout: it is slow
    try:
        async with asyncio.timeout(TIMEOUT.total_seconds()):
            return await Client.connect(
                **config,
                data_converter=encrypted,
                lazy=lazy,
                runtime=measured or runtime(),
                interceptors=interceptors,
                retry_config=RetryConfig(max_elapsed_time_millis=int(TIMEOUT.total_seconds() * 1000)),
            )
    except (RuntimeError, RPCError, TimeoutError) as error:
        raise ConnectionProblem(
            f"{_unreachable(error, settings.temporal_address)} Nothing was sent; running incidents are not affected."
        ) from None


def _models_converter() -> DataConverter:
    """Return the converter of our models, whose import takes long: only who reads payloads waits for it."""
    from temporalio.contrib.pydantic import pydantic_data_converter

    return pydantic_data_converter


def _client_config(settings: Server) -> ClientConnectConfig:
    """Return address and namespace of the settings, and what the environment and Temporal's own file say beside them.

    That is TLS, an API key and headers.

    Raises:
        ConnectionProblem: they cannot be read, or are not valid.
    """
    set_ones = {name: value for name, value in os.environ.items() if value}  # empty counts as unset, as in settings
    try:
        set_ones |= read_secrets(["TEMPORAL_API_KEY"])
    except SecretFileError as error:
        raise ConnectionProblem(f"{error}. Nothing was sent.") from None
    try:
        config = ClientConfig.load_client_connect_config(override_env_vars=set_ones)
    except (OSError, RuntimeError, ValueError) as error:
        raise ConnectionProblem(
            f"The Temporal connection settings are invalid ({_reason(error)}). Nothing was sent. Check"
            " TEMPORAL_PROFILE, TEMPORAL_CONFIG_FILE and TEMPORAL_TLS_*."
        ) from None
    config["target_host"] = settings.temporal_address
    config["namespace"] = settings.temporal_namespace
    return config


async def check_connection(client: Client, within: timedelta) -> None:
    """Check that Temporal answers a client, which may be a lazy one.

    Raises:
        RPCError: it does not. While a lazy client is not connected, the SDK itself raises `RuntimeError`.
    """
    try:
        async with asyncio.timeout(within.total_seconds()):
            await client.service_client.check_health(timeout=within)
    except (RuntimeError, TimeoutError) as error:
        raise RPCError(f"cannot reach Temporal ({_reason(error)})", RPCStatusCode.UNAVAILABLE, b"") from None


@functools.cache
def runtime() -> Runtime:
    """Return the runtime of this process's connections."""
    return Runtime(telemetry=TelemetryConfig(logging=core_logging()))


_OTHER_PROTOCOL = "{} does not speak Temporal's protocol: are TEMPORAL_ADDRESS and TEMPORAL_TLS_* right?"
_UNREACHABLE = {
    "ConnectionRefused": "connection refused at {}: is Temporal running?",
    "dns error": "host of {} not found: is TEMPORAL_ADDRESS right?",
    "Timeout": "no answer at {}: is Temporal running, and reachable from here?",
    "certificate": "TLS failed at {}: are TEMPORAL_TLS_* right?",
    "protocol error": _OTHER_PROTOCOL,
    "HTTP status code": _OTHER_PROTOCOL,
}
"""What the SDK's core says of a connection, or the class of the error, and what a person reads."""


def _unreachable(error: Exception, address: str) -> str:
    """Return in one sentence why Temporal is unreachable: the SDK's own words are the Rust values of its core."""
    said = f"{type(error).__name__}: {error}"
    for sign, words in _UNREACHABLE.items():
        if sign in said:
            return words.format(address)
    return f"cannot reach Temporal at {address} ({_reason(error)})."


def _reason(error: Exception) -> str:
    """Return the first line of an error; a time-out has no text."""
    return next(iter(str(error).splitlines()), "")[:200] or "no answer"


def run_and_exit(main: Coroutine[Any, Any, int], problems: tuple[type[Exception], ...] = ()) -> NoReturn:
    """Run a program's main coroutine and end the process with the status that it returns.

    Problems that the user can fix, and those named in `problems`, are printed (`error_output.py`), with status 1. The
    process is left by `os._exit`: a short-lived client of temporalio 1.35 may crash while the interpreter shuts down,
    after all the work is done, and would then report a failure that was none.
    """
    known: tuple[type[Exception], ...] = (ConnectionProblem, SettingsError, Undecryptable, *problems)
    try:
        status = asyncio.run(main)
    except RunbookError as problem:  # one line for each fault
        print_error(printable(str(problem)), code_of(problem))
        status = 1
    except known as problem:
        print_error(one_line(str(problem), _LONGEST), code_of(problem))
        status = 1
    except RPCError as problem:
        said = one_line(problem.message, _LONGEST)
        print_error(f"Temporal answered {problem.status.name}: {said}", "temporal")
        status = 1
    except KeyboardInterrupt:
        status = 130
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except OSError:  # the reader of our output closed the pipe
            status = status or 1
    os._exit(status)
