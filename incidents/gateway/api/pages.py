"""`/openapi.json`, and `/docs`: the same as a page, without script and without anything from elsewhere."""

import secrets
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response

from incidents.gateway.api.openapi import ABOUT, TAGS, document

_PAGES = Environment(
    loader=PackageLoader("incidents.gateway.api"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)


async def openapi(request: Request) -> Response:
    """Answer with the description of the API. It is the same for everyone, so no token is needed."""
    return JSONResponse(document())


async def docs(request: Request) -> Response:
    """Show the description of the API."""
    nonce = secrets.token_urlsafe(16)
    described = document()
    operations = _operations(described)
    text = _PAGES.get_template("docs.html").render(
        nonce=nonce,
        info=described["info"],
        about=ABOUT,
        groups={tag: [each for each in operations if tag in each["tags"]] for tag in TAGS},
        schemas=described["components"]["schemas"],
    )
    policy = (
        f"default-src 'none'; style-src 'nonce-{nonce}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )
    return HTMLResponse(text, headers={"content-security-policy": policy, "x-content-type-options": "nosniff"})


def _operations(described: dict[str, Any]) -> list[dict[str, Any]]:
    return [
        {"path": path, "method": method.upper(), "body": _body_of(operation)} | operation
        for path, methods in described["paths"].items()
        for method, operation in methods.items()
    ]


def _body_of(operation: dict[str, Any]) -> str:
    """Return the name of the schema of an operation's body; "" if it has none."""
    content = operation.get("requestBody", {}).get("content", {}).get("application/json", {})
    return str(content.get("schema", {}).get("$ref", "")).rpartition("/")[2]
