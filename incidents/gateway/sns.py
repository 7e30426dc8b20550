"""Messages of Amazon SNS: whether SNS signed them, of a topic of ours, and the confirmation of a subscription."""

import asyncio
from collections.abc import Collection
from datetime import UTC, datetime, timedelta
from typing import Literal

from pydantic import BaseModel, ValidationError

from incidents.domain.core.payload import NotJson, read_json
from incidents.gateway import signatures
from incidents.vendors.errors import VendorRejected
from incidents.vendors.sns import SnsClient

_NOTIFICATION = ("Message", "MessageId", "Subject", "Timestamp", "TopicArn", "Type")
_SUBSCRIPTION = ("Message", "MessageId", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type")

OLDEST = timedelta(minutes=70)
"""Age of a message that is still taken: SNS sends one again for an hour at most, and clocks differ.

docs.aws.amazon.com/sns/latest/dg/sns-message-delivery-retries.html: 3,600 s for HTTP/S, "a hard limit".
"""


class SnsMessage(BaseModel):
    """A message of SNS, of any type."""

    Type: Literal["Notification", "SubscriptionConfirmation", "UnsubscribeConfirmation"]
    MessageId: str
    TopicArn: str
    Message: str
    Timestamp: str
    SignatureVersion: str
    Signature: str
    SigningCertURL: str
    Subject: str | None = None
    Token: str | None = None
    SubscribeURL: str | None = None

    @property
    def signed_text(self) -> str:
        """What SNS signed: name and value of each field that is there, in this order."""
        names = _NOTIFICATION if self.Type == "Notification" else _SUBSCRIPTION
        values = ((name, getattr(self, name)) for name in names)
        return "".join(f"{name}\n{value}\n" for name, value in values if value is not None)

    def is_current(self, now: datetime) -> bool:
        """Tell whether it is young enough not to be one that somebody recorded and sends again."""
        try:
            age = now - datetime.fromisoformat(self.Timestamp)
        except (ValueError, TypeError):  # no time, or one without a zone
            return False
        return abs(age) <= OLDEST


def read_message(body: bytes) -> SnsMessage | None:
    """Return the message; None if it is none of SNS."""
    try:
        return SnsMessage.model_validate(read_json(body))
    except (NotJson, ValidationError):
        return None


class SnsMessages:
    """Verifies messages. `topics`: ARNs of ours, because SNS signs for every AWS account."""

    def __init__(self, topics: Collection[str], client: SnsClient) -> None:
        self._topics, self._client = topics, client

    async def is_ours(self, message: SnsMessage) -> bool:
        """Tell whether SNS signed the message lately, and its topic is one of ours.

        Raises:
            VendorError: SNS' certificate cannot be had now.
        """
        if message.TopicArn not in self._topics or not message.is_current(datetime.now(UTC)):
            return False
        try:
            certificate = await asyncio.to_thread(self._client.certificate, message.SigningCertURL)
        except VendorRejected:
            return False
        text = message.signed_text.encode("utf-8", "replace")
        return signatures.from_sns(certificate, text, message.Signature, message.SignatureVersion)

    async def confirm(self, message: SnsMessage) -> bool:
        """Confirm the subscription that the message, which is ours, asks to confirm; tell whether it is done.

        Raises:
            VendorError: SNS does not answer.
        """
        try:
            await asyncio.to_thread(self._client.confirm, message.SubscribeURL or "")
        except VendorRejected:
            return False
        return True
