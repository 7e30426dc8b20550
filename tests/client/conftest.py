"""A world on a real server, with and without a worker."""

from tests.gateway.conftest import empty_world, live_world

__all__ = ["empty_world", "live_world"]
