"""CloudWatch's alarms, as SNS delivers them: in its envelope, or raw (raw message delivery).

https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/Notify_Users_Alarm_Changes.html
"""

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any
from urllib.parse import quote

from pydantic import AwareDatetime, BaseModel, BeforeValidator

from incidents.client.alert_sources.payload import MalformedAlert, checked
from incidents.domain.alerting.alert import Alert, fingerprint_of
from incidents.domain.core.payload import NotJson, read_json

NAME = "CloudWatch"
_FIRING, _ENDED = "ALARM", "OK"
_REGION = re.compile(r"arn:[a-z-]+:cloudwatch:([a-z0-9-]+):")
_OFFSET = re.compile(r"([+-][0-9]{2})([0-9]{2})$")


def _with_colon(value: object) -> object:
    """Return an instant whose offset is written +0000 as +00:00."""
    return _OFFSET.sub(r"\1:\2", value) if isinstance(value, str) else value


class _Dimension(BaseModel):
    name: str
    value: str


class _Trigger(BaseModel):
    MetricName: str | None = None
    Namespace: str | None = None
    Dimensions: list[_Dimension] = []


class _Alarm(BaseModel):
    AlarmName: str
    AlarmDescription: str | None = None
    AWSAccountId: str = ""
    AlarmArn: str = ""
    NewStateValue: str
    NewStateReason: str = ""
    StateChangeTime: Annotated[AwareDatetime, BeforeValidator(_with_colon)]
    Trigger: _Trigger = _Trigger()


class _Envelope(BaseModel):
    Type: str
    Message: str


def recognizes(payload: Mapping[str, Any]) -> bool:
    """Tell whether it is SNS' envelope, or an alarm without it."""
    return {"Type", "TopicArn"} <= payload.keys() or {"AlarmName", "NewStateValue"} <= payload.keys()


def read(payload: Mapping[str, Any], received_at: datetime) -> tuple[Alert, ...]:
    """Return the alarm; none if it has not enough data, which tells neither that it fires nor that it ended.

    Raises:
        MalformedAlert: it is no alarm.
    """
    alarm = checked(_Alarm, _message(payload) if "TopicArn" in payload else payload)
    if alarm.NewStateValue not in (_FIRING, _ENDED):
        return ()
    found = Alert(
        name=alarm.AlarmName,
        labels=_labels(alarm),
        summary=alarm.AlarmName,
        description="\n".join(text for text in (alarm.AlarmDescription, alarm.NewStateReason) if text),
        started_at=alarm.StateChangeTime,
        ended_at=alarm.StateChangeTime if alarm.NewStateValue == _ENDED else None,
        fingerprint=fingerprint_of({"alarm": alarm.AlarmArn or f"{alarm.AWSAccountId}/{alarm.AlarmName}"}),
        link=_link(alarm),
        source=NAME,
    )
    return (found,)


def _message(payload: Mapping[str, Any]) -> Mapping[str, Any]:
    envelope = checked(_Envelope, payload)
    if envelope.Type != "Notification":
        raise MalformedAlert("Type: Notification is understood; a subscription is confirmed where SNS posts it")
    try:
        message = read_json(envelope.Message)
    except NotJson:
        message = None
    if not isinstance(message, dict):
        raise MalformedAlert("Message: not an alarm of CloudWatch")
    return message


def _labels(alarm: _Alarm) -> dict[str, str]:
    """Return the dimensions of the metric as labels, with the alarm's own, which come first."""
    region = _REGION.match(alarm.AlarmArn)
    own = {
        "alertname": alarm.AlarmName,
        "account": alarm.AWSAccountId,
        "region": region[1] if region else "",
        "metric": alarm.Trigger.MetricName or "",
        "namespace": alarm.Trigger.Namespace or "",
    }
    dimensions = {dimension.name: dimension.value for dimension in alarm.Trigger.Dimensions}
    return dimensions | {name: value for name, value in own.items() if value}


def _link(alarm: _Alarm) -> str:
    """Return the alarm's page in the console of its region; "" for another partition than AWS' own."""
    region = _REGION.match(alarm.AlarmArn)
    if region is None or not alarm.AlarmArn.startswith("arn:aws:"):
        return ""
    name = quote(alarm.AlarmName, safe="")
    return f"https://{region[1]}.console.aws.amazon.com/cloudwatch/home?region={region[1]}#alarmsV2:alarm/{name}"
