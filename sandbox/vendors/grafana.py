"""`/grafana/api/alertmanager/grafana/api/v2`: the Alertmanager that Grafana has built in. It sends no webhooks."""

from __future__ import annotations

from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from sandbox.http import RefusalError, bearer
from sandbox.state import Credentials, Ledger
from sandbox.vendors.alertmanager import Alertmanager


class Grafana(Alertmanager):
    """Alertmanager's API for a service account's token. Alerts are listed with labels of Grafana's own."""

    vendor, mount = "grafana", "/grafana/api/alertmanager/grafana"

    def __init__(self, credentials: Credentials, ledger: Ledger) -> None:
        super().__init__(ledger)
        self._token = credentials.grafana_token

    def routes(self) -> list[BaseRoute]:
        """The same routes, each behind the token."""
        return [self._guarded(one) for one in super().routes() if isinstance(one, Route)]

    def _guarded(self, route: Route) -> Route:
        async def checked(request: Request) -> Response:
            if bearer(request) != self._token:
                raise RefusalError(401, {"message": "Invalid API key"})
            answer: Response = await route.endpoint(request)
            return answer

        return Route(route.path, checked, methods=list(route.methods or ()))

    def _alert(self, alert: dict[str, Any]) -> dict[str, Any]:
        shown = super()._alert(alert)
        return shown | {"labels": shown["labels"] | {"__alert_rule_uid__": "dd2f0260", "__orgId__": "1"}}
