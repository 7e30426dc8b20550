"""Does the faults of a plan to the processes and vendors of a run, and measures how long each process was away."""

import asyncio
import signal
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import assert_never

import httpx

from tests.chaos.lifecycle.plan import Fault, ProcessFault, VendorFault
from tests.chaos.lifecycle.processes import Site
from tests.chaos.plan import Action

CONTROL_SECONDS = 60.0
KILLED_ITSELF = "SIGKILL at a step"


@dataclass
class Injector:
    """`done`: faults by name. `outages`: seconds that each process fault kept its process away.

    `deaths_wanted`: workers kill themselves at the points of a table, and are started again.
    """

    site: Site
    deaths_wanted: bool = False
    done: Counter[str] = field(default_factory=Counter)
    outages: list[float] = field(default_factory=list)
    deaths: list[str] = field(default_factory=list)

    async def inject(self, faults: list[Fault], report: Callable[[str], None]) -> None:
        """Do one fault after the other. Cancelled between or in them, it leaves every process running."""
        for number, fault in enumerate(faults, start=1):
            await asyncio.sleep(fault.pause)
            report(f"fault {number}/{len(faults)}: {describe(fault)}")
            await self._do(fault)
            self.done[fault.name] += 1

    async def watch(self) -> None:
        """Start workers again that killed themselves, until cancelled. Another process's end is in `deaths`."""
        while True:
            await asyncio.sleep(0.2)
            for process in self.site.processes.values():
                if process.ended_by_itself is None:
                    continue
                if self.deaths_wanted and process.ended_by_itself == -signal.SIGKILL:
                    self.done[KILLED_ITSELF] += 1
                else:
                    self.deaths.append(f"{process.name} ended by itself with {process.ended_by_itself}")
                process.start()

    async def _do(self, fault: Fault) -> None:
        match fault:
            case ProcessFault():
                began = time.monotonic()
                await (self._kill(fault) if fault.action is Action.KILL else self._stop(fault))
                self.outages.append(time.monotonic() - began)
            case VendorFault():
                async with httpx.AsyncClient(trust_env=False, timeout=CONTROL_SECONDS) as http:
                    answer = await http.post(f"{self.site.sandbox_url}/_control/faults", json=fault.order)
                    answer.raise_for_status()
            case _:
                assert_never(fault)

    async def _kill(self, fault: ProcessFault) -> None:
        process = self.site.processes[fault.process]
        process.kill()
        try:
            await asyncio.sleep(fault.seconds)
        finally:
            process.start()
        await process.ready()

    async def _stop(self, fault: ProcessFault) -> None:
        process = self.site.processes[fault.process]
        process.send(signal.SIGSTOP)
        try:
            await asyncio.sleep(fault.seconds)
        finally:
            process.send(signal.SIGCONT)


async def clear_vendor_faults(site: Site) -> None:
    """End the vendors' faults that have not struck."""
    async with httpx.AsyncClient(trust_env=False, timeout=CONTROL_SECONDS) as http:
        (await http.delete(f"{site.sandbox_url}/_control/faults")).raise_for_status()


def describe(fault: Fault) -> str:
    """Return the fault in a few words."""
    match fault:
        case ProcessFault():
            return f"{fault.action} {fault.process} {fault.seconds:.1f} s"
        case VendorFault():
            return f"{fault.order['vendor']}: {fault.kind} x{fault.order['times']}"
        case _:
            assert_never(fault)
