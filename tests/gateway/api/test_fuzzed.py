"""105: whatever fits the API's description, or nearly fits it, is answered as described, and never with a 5xx.

Schemathesis makes the requests from the description itself. The server, Temporal and its worker are real.
"""

import asyncio
import socket
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
import schemathesis
import uvicorn
from hypothesis import HealthCheck, Phase, settings
from schemathesis import Case, GenerationMode
from schemathesis.checks import CHECKS
from schemathesis.core.parameters import ParameterLocation

from incidents.app.api_tokens import ApiTokens, Scope
from incidents.app.settings import Settings
from incidents.gateway.api.openapi import document
from incidents.gateway.app import Gateway
from tests.cli.conftest import QUEUE, RUNBOOK, Opened, Stage, stage
from tests.support.thoroughness import by_thoroughness

__all__ = ["stage"]

SCHEMA = schemathesis.openapi.from_dict(document())
SCHEMA.config.generation.update(modes=list(GenerationMode))
EXAMPLES = settings(
    max_examples=by_thoroughness(6, 200),
    deadline=None,
    derandomize=True,
    database=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)
CHECKED: list[Any] = CHECKS.get_by_names(
    [
        "not_a_server_error",
        "status_code_conformance",
        "content_type_conformance",
        "response_schema_conformance",
        "negative_data_rejection",
        "unsupported_method",
        "ignored_auth",
    ]
)


@pytest.fixture(scope="module")
def gateway(stage: Stage, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, dict[str, str]]]:
    """The URL of a gateway that runs, and the header of a token that may do everything."""
    folder = tmp_path_factory.mktemp("gateway")
    with pytest.MonkeyPatch.context() as patch:
        for name in Settings.model_fields:
            patch.delenv(name.upper(), raising=False)
        patch.setattr("incidents.gateway.api.senders.BURST", 10**9)
        patch.setattr("incidents.client.lookup.SEARCH", 0.1)
        found = Settings(temporal_task_queue=QUEUE, alert_spool=folder / "spool", api_tokens=folder / "tokens.json")
        _, text = ApiTokens(found.api_tokens).create("ann", tuple(Scope), datetime.now(UTC))
        with listening() as listener:
            server = uvicorn.Server(uvicorn.Config(Gateway(stage.client, found, RUNBOOK).app(), log_level="error"))
            serving = asyncio.run_coroutine_threadsafe(server.serve(sockets=[listener]), stage.loop)
            yield f"http://127.0.0.1:{listener.getsockname()[1]}", {"authorization": f"Bearer {text}"}
            server.should_exit = True
            serving.result(20)


def listening() -> socket.socket:
    return socket.create_server(("127.0.0.1", 0))


@pytest.fixture
def incident(stage: Stage) -> Opened:
    return stage.open("warning")


@SCHEMA.parametrize()
@EXAMPLES
def test_105_the_api_answers_as_it_is_described(
    case: Case[Any], gateway: tuple[str, dict[str, str]], incident: Opened
) -> None:
    url, token = gateway
    if is_meant_well(case, ParameterLocation.PATH) and len(str(case.path_parameters.get("ref", ""))) % 4:
        case.path_parameters["ref"] = incident.id  # most of them, of a real one
    headers = token if is_meant_well(case, ParameterLocation.HEADER) else {}
    answer = case.call(base_url=url, headers=headers)
    case.validate_response(answer, checks=CHECKED, headers=headers)


def is_meant_well(case: Case[Any], where: ParameterLocation) -> bool:
    """Tell whether that part of a request was made to fit its description."""
    part = case.meta.components.get(where) if case.meta else None
    return part is None or part.mode is GenerationMode.POSITIVE
