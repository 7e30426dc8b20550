"""Whether a request came through a proxy, behind which everyone looks as if they were on this machine or network."""

from starlette.requests import Request

_HEADERS = ("forwarded", "x-forwarded-for", "x-forwarded-host", "x-real-ip", "via")


def is_proxied(request: Request) -> bool:
    """Tell whether the request came through a proxy. HTTP/1.0 is nginx, which adds no header by default."""
    return any(header in request.headers for header in _HEADERS) or request.scope.get("http_version") == "1.0"
