"""Connect to Temporal, and run and exit a program."""

import asyncio
import functools
import logging
import os
import sys
from collections.abc import Coroutine
from datetime import timedelta
from typing import Any, NoReturn

from temporalio.client import Client, RetryConfig
from temporalio.converter import DataConverter
from temporalio.envconfig import ClientConfig
from temporalio.runtime import LogForwardingConfig, LoggingConfig, Runtime, TelemetryConfig, TelemetryFilter
from temporalio.service import RPCError

from incidents.app.temporal_settings import Server, SettingsError
from incidents.domain.core.errors import RunbookError

PATIENCE = timedelta(seconds=10)
"""How long to try to reach Temporal before saying so."""

CORE_LOGS = TelemetryFilter(core_level="WARN", other_level="ERROR")
"""What the SDK's core logs."""


class ConnectionProblem(Exception):
    """Temporal is unreachable or rejected the connection. One line: what happened, what is not lost, what to do."""


async def connect(settings: Server, converter: DataConverter | None = None) -> Client:
    """Return a client for the namespace that the environment names, with TLS and API key as it says.

    Without `converter` its payloads are our models, whose import takes a client that reads none too long.

    Raises:
        ConnectionProblem: no answer within `PATIENCE`, or the configuration of the connection cannot be used.
    """
    set_ones = {name: value for name, value in os.environ.items() if value}  # empty counts as unset, as in settings
    try:
        config = ClientConfig.load_client_connect_config(override_env_vars=set_ones)
    except (OSError, RuntimeError, ValueError) as error:
        raise ConnectionProblem(
            f"The Temporal connection settings are invalid ({_reason(error)}). Nothing was sent. Check"
            " TEMPORAL_PROFILE, TEMPORAL_CONFIG_FILE and TEMPORAL_TLS_*."
        ) from None
    if converter is None:
        from temporalio.contrib.pydantic import pydantic_data_converter

        converter = pydantic_data_converter
    config["target_host"] = settings.temporal_address
    config["namespace"] = settings.temporal_namespace
    try:
        async with asyncio.timeout(PATIENCE.total_seconds()):
            return await Client.connect(
                **config,
                data_converter=converter,
                runtime=runtime(),
                retry_config=RetryConfig(max_elapsed_time_millis=int(PATIENCE.total_seconds() * 1000)),
            )
    except (RuntimeError, RPCError, TimeoutError) as error:
        raise ConnectionProblem(
            f"Cannot reach Temporal at {settings.temporal_address} ({_reason(error)}). Running incidents are not"
            " affected; nothing was sent. Check TEMPORAL_ADDRESS, or start the server."
        ) from None


@functools.cache
def runtime() -> Runtime:
    """Return the runtime of this process's connections, whose warnings go to `temporalio.core`'s logger.

    On its own the SDK's core writes them to standard output, into the middle of a program's JSON.
    """
    forwarding = LogForwardingConfig(logger=logging.getLogger("temporalio.core"))
    return Runtime(telemetry=TelemetryConfig(logging=LoggingConfig(filter=CORE_LOGS, forwarding=forwarding)))


def _reason(error: Exception) -> str:
    """Return the first line of an error; a time-out has no text."""
    return next(iter(str(error).splitlines()), "")[:200] or "no answer"


def run_and_exit(main: Coroutine[Any, Any, int], problems: tuple[type[Exception], ...] = ()) -> NoReturn:
    """Run a program's main coroutine and end the process with the status that it returns.

    Problems that the user can fix, and those named in `problems`, become one line and status 1. The process is left
    by `os._exit`: a short-lived client of temporalio 1.35 may crash while the interpreter shuts down, after all the
    work is done, and would then report a failure that was none.
    """
    known: tuple[type[Exception], ...] = (ConnectionProblem, RunbookError, SettingsError, *problems)
    try:
        status = asyncio.run(main)
    except known as problem:
        print(f"error: {problem}", file=sys.stderr)
        status = 1
    except RPCError as problem:
        print(f"error: Temporal answered {problem.status.name}: {problem.message}", file=sys.stderr)
        status = 1
    except KeyboardInterrupt:
        status = 130
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except OSError:  # the reader of our output closed the pipe
            status = status or 1
    os._exit(status)
