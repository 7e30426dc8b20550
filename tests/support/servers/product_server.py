"""A product on a real socket, as another company may have it: it answers what a test says, and keeps its requests."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass
class ProductServer:
    """`asked`: method, path and `Authorization` of each request."""

    url: str = ""
    status: int = 200
    answer: Any = None
    asked: list[tuple[str, str, str]] = field(default_factory=list)


@contextmanager
def product_server() -> Iterator[ProductServer]:
    """Serve on localhost until the end of the block."""
    product = ProductServer()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            product.asked.append((self.command, self.path, self.headers.get("Authorization", "")))
            self.send_response(product.status)
            self.end_headers()
            self.wfile.write(json.dumps(product.answer).encode())

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    product.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield product
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
