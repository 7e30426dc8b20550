"""The endpoint of alert webhooks: it accepts alerts also while Temporal is unreachable (behaviour 13)."""

import logging
from datetime import UTC, datetime, timedelta

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from incidents.client.alert_sources.names import SourceName, is_source_name
from incidents.client.alert_sources.payload import MOST_ALERTS, MalformedAlert
from incidents.client.delivery.delivery import Delivery, Kept
from incidents.client.delivery.spool import SpoolFull, SpoolUnusable
from incidents.client.delivery.submission import Submission
from incidents.domain.core.payload import NotJson
from incidents.gateway import cloudevents
from incidents.gateway.alert_senders import AlertSenders
from incidents.gateway.metrics import Webhooks
from incidents.gateway.responses import read_body, unauthorized
from incidents.gateway.sns import read_message
from incidents.vendors.errors import VendorError

_log = logging.getLogger("gateway")


class AlertEndpoint:
    """Takes alert webhooks. `senders`: who may post them."""

    def __init__(self, delivery: Delivery, senders: AlertSenders, webhooks: Webhooks) -> None:
        self._delivery, self._senders, self._webhooks = delivery, senders, webhooks

    async def alerts(self, request: Request) -> Response:
        """Take a webhook as `_take` does, and count it."""
        response = await self._take(request)
        self._webhooks.count(request.path_params.get("source", ""), response.status_code)
        return response

    async def _take(self, request: Request) -> Response:
        """Open incidents for alerts, or update the open ones; keep them on disk while Temporal is unreachable.

        503 if they cannot be kept either: the sender still has them, and sends them again.
        """
        source = request.path_params.get("source", "")
        has_token = self._senders.with_token(request.headers)
        body = await read_body(request)
        try:
            if not has_token and not await self._senders.signed(source, request.headers, body):
                return unauthorized(request)
            if SourceName.named(source) is SourceName.CLOUDWATCH and (answer := await self._subscription(body)):
                return answer
        except VendorError as error:
            _log.warning("A message of SNS was not accepted: %s", error)
            return JSONResponse({"error": "SNS does not answer now; send it again"}, 503)
        if not is_source_name(source):
            return JSONResponse({"error": "the name of an alert source is 1 to 40 of a-z, 0-9, - and _"}, 404)
        try:
            if cloudevents.is_binary(request.headers):
                body = cloudevents.structured(request.headers, body)
            submission = Submission.of_alerts(body, datetime.now(UTC), source)
        except (MalformedAlert, NotJson) as error:
            return JSONResponse({"error": f"not an alert: {error}"}, 400)
        return await self._deliver(submission)

    async def _subscription(self, body: bytes) -> Response | None:
        """Confirm a subscription of SNS, also of one whose sender has our token; None for an alarm."""
        message = read_message(body)
        if message is None or message.Type == "Notification":
            return None
        if message.Type != "SubscriptionConfirmation" or not await self._senders.sns.is_ours(message):
            return JSONResponse({"action": "ignored"}, 202)
        done = await self._senders.sns.confirm(message)
        _log.info("Subscription to %s %s", message.TopicArn, "confirmed" if done else "not confirmed: not a URL of SNS")
        return JSONResponse({"action": "confirmed" if done else "ignored"}, 202)

    async def _deliver(self, submission: Submission) -> Response:
        if len(submission.alerts) == MOST_ALERTS:
            _log.warning(
                "Webhook has too many alerts; accepted the first %d. Set max_alerts in Alertmanager", MOST_ALERTS
            )
        if not submission.alerts:  # an event of the source that is about no alert
            return JSONResponse({"action": "ignored"}, 202)
        try:
            started = await self._delivery.deliver(submission, timedelta())
        except (SpoolFull, SpoolUnusable) as error:
            _log.error("An alert was not accepted: %s", error)
            said = f"Temporal is unreachable and the alerts were not kept: {error}. Send them again"
            return JSONResponse({"error": said}, 503)
        for kept in (found for found in started if isinstance(found, Kept)):
            _log.warning("The alert of %s is %s", kept.workflow_id, kept.detail)
        return JSONResponse([found.model_dump() for found in started], 202)
