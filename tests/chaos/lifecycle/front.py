"""The vendors' front: a process between our programs and the sandbox, which keeps their state and is not killed.

python -m tests.chaos.lifecycle.front PORT SANDBOX_PORT

With it killed, requests in progress lose their reply, or never arrive, and new ones are refused: as with a vendor whose
servers die and whose database does not.
"""

import asyncio
import contextlib
import sys
from functools import partial

_AT_ONCE = 65536
"""Bytes."""


async def main(port: int, sandbox: int) -> None:
    """Forward every connection, until killed."""
    async with await asyncio.start_server(partial(_forward, sandbox), "127.0.0.1", port) as server:
        await server.serve_forever()


async def _forward(sandbox: int, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Forward one connection until either side ends it."""
    there, here = await asyncio.open_connection("127.0.0.1", sandbox)
    copies = [asyncio.create_task(_copy(reader, here)), asyncio.create_task(_copy(there, writer))]
    try:
        await asyncio.wait(copies, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for copy in copies:
            copy.cancel()
        for end in (here, writer):
            end.close()


async def _copy(source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
    with contextlib.suppress(ConnectionError):
        while data := await source.read(_AT_ONCE):
            target.write(data)
            await target.drain()


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]), int(sys.argv[2])))
