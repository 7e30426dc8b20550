"""The programs that the demo runs, each with its log in the demo's folder."""

from __future__ import annotations

import contextlib
import socket
import subprocess
import sys
from collections.abc import Iterator

from sandbox.demo.files import HOME, shown
from sandbox.demo.keeper import Keeper
from sandbox.demo.stage import TIMEOUT, Demo, DemoFailed
from sandbox.temporal_server import free_port, running_temporal, stop, wait_for_port


@contextlib.contextmanager
def running_server(keeper: Keeper) -> Iterator[tuple[str, str]]:
    """Run a Temporal server; yield its address, and the URL of its pages.

    Raises:
        DemoFailed: it does not start.
    """
    path, ui_port = HOME / "temporal.log", free_port()
    with contextlib.ExitStack() as stack:
        log = stack.enter_context(path.open("w", encoding="utf-8"))
        server = running_temporal(HOME / "temporal.db", ui_port=ui_port, log=log, start=keeper.start)
        try:
            address, _ = stack.enter_context(server)
        except FileNotFoundError as error:
            raise DemoFailed(str(error)) from None
        except (RuntimeError, TimeoutError):
            raise DemoFailed(f"Temporal's server did not start. Its log: {shown(path)}") from None
        yield address, f"http://127.0.0.1:{ui_port}"


@contextlib.contextmanager
def running(
    name: str, words: list[str], environment: dict[str, str], keeper: Keeper
) -> Iterator[subprocess.Popen[str]]:
    """Run one of our programs; shut it down gracefully at the end."""
    path = HOME / f"{name}.log"
    with path.open("w", encoding="utf-8") as log:
        process = keeper.start(
            [sys.executable, *words], env=environment, stdout=log, stderr=subprocess.STDOUT, text=True
        )
        try:
            yield process
        finally:
            if (status := stop(process)) != 0:
                print(f"the {name} exited with status {status}; see {shown(path)}", file=sys.stderr)


@contextlib.contextmanager
def running_gateway(demo: Demo, port: int | None, keeper: Keeper) -> Iterator[str]:
    """Run the gateway, to which the sandbox's Slack sends signed clicks; yield its URL, "" without a port."""
    if port is None:
        yield ""
        return
    words = ["-m", "incidents.gateway.main", "--port", str(port)]
    # Without the app token Slack sends by HTTP, signed, and not by Socket Mode.
    environment = {name: value for name, value in demo.environment.items() if name != "SLACK_APP_TOKEN"}
    with running("gateway", words, environment, keeper) as gateway:
        try:
            wait_for_port(port, gateway, TIMEOUT)
        except (RuntimeError, TimeoutError):
            raise DemoFailed(f"The gateway did not start. Its log: {shown(HOME / 'gateway.log')}") from None
        url = f"http://127.0.0.1:{port}"
        demo.sandbox.options(slack_request_url=f"{url}/slack")
        yield url


def check_port(port: int) -> None:
    """Check that nobody listens there: what answers would be taken for the gateway.

    Raises:
        DemoFailed: somebody does.
    """
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as error:
            raise DemoFailed(
                f"Port {port} cannot be used ({error.strerror}). Nothing was started. Choose another, or none:"
                " then the demo finds a free one."
            ) from None
