"""Who may post alerts: who has our token, or a source that signs what it sends."""

import logging
from collections.abc import Mapping

from incidents.app.api_tokens import ApiTokens, Scope, TokensUnusable
from incidents.app.settings import Settings
from incidents.client.alert_sources.names import SourceName
from incidents.gateway import signatures
from incidents.gateway.api.senders import find_token
from incidents.gateway.sns import SnsMessages, read_message
from incidents.vendors.sns import SnsClient

_log = logging.getLogger("gateway")


class AlertSenders:
    """Checks the tokens and signatures of alert webhooks."""

    def __init__(self, settings: Settings, sns: SnsClient, tokens: ApiTokens) -> None:
        self._tokens = tokens
        self._token = settings.gateway_token.get_secret_value()
        self._sentry = settings.sentry_client_secret.get_secret_value()
        self._pagerduty = settings.pagerduty_alerts_secret.get_secret_value()
        self.sns = SnsMessages(settings.sns_topic_arns, sns)

    def with_token(self, headers: Mapping[str, str]) -> bool:
        """Tell whether the request carries our token, or one of the API for alerts, whatever its source."""
        if signatures.with_token(self._token, headers):
            return True
        try:
            token = find_token(self._tokens, headers.get("authorization", ""))
        except TokensUnusable as error:
            _log.error("Tokens of the API are not accepted: %s", error)
            return False
        return token is not None and token.may(Scope.ALERTS)

    async def signed(self, source: str, headers: Mapping[str, str], body: bytes) -> bool:
        """Tell whether the source that the path names signed the body.

        Raises:
            VendorError: SNS' certificate cannot be had now.
        """
        match SourceName.named(source):
            case SourceName.SENTRY:
                return signatures.from_sentry(self._sentry, headers, body)
            case SourceName.PAGERDUTY:
                return signatures.from_pagerduty(self._pagerduty, headers, body)
            case SourceName.CLOUDWATCH:
                message = read_message(body)
                return message is not None and await self.sns.is_ours(message)
            case _:
                return False
