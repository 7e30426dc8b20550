"""Our own simple JSON, for every sender that can be given a template."""

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import AwareDatetime, BaseModel, BeforeValidator, Field, StringConstraints

from incidents.client.alert_sources.payload import checked
from incidents.domain.alerting.alert import Alert, fingerprint_of
from incidents.domain.core.text.untrusted import all_printable


class GenericAlert(BaseModel):
    """One alert, of which only the title is needed. Published as docs/alert-schema.json."""

    title: Annotated[
        str,
        BeforeValidator(all_printable),
        StringConstraints(strip_whitespace=True, min_length=1),
        Field(description="What is wrong, in one line."),
    ]
    service: str | None = Field(default=None, description="The service, as runbook.yaml names it; the label `service`.")
    environment: str | None = Field(default=None, description="The label `environment`.")
    severity: str | None = Field(default=None, description="The label `severity`, such as critical or P1.")
    description: str = Field(default="", description="More about it.")
    started_at: AwareDatetime | None = Field(default=None, description="When it began; otherwise it begins on arrival.")
    status: Literal["firing", "resolved"] = Field(default="firing", description="Whether it begins or has ended.")
    labels: dict[str, str] = Field(
        default={}, description="Further labels. All labels of an alert and of its end are the same."
    )
    link: str = Field(default="", description="Where to look.")
    source: str = Field(default="JSON", description="The name of the sender, unless the path names it.")


def json_schema() -> dict[str, Any]:
    """Return the JSON schema of this form. Fields that it does not name are ignored."""
    schema = {"$schema": "https://json-schema.org/draft/2020-12/schema", **GenericAlert.model_json_schema()}
    return schema | {"title": "Alert of the incident runbook, as POST /alerts/json takes it"}


def recognizes(payload: Mapping[str, Any]) -> bool:
    """Tell whether it has a title: of the forms that are compared, this is the last."""
    return "title" in payload


def read(payload: Mapping[str, Any], received_at: datetime) -> tuple[Alert, ...]:
    """Return the alert.

    Raises:
        MalformedAlert: it is not this form.
    """
    alert = checked(GenericAlert, payload)
    named = {"service": alert.service, "environment": alert.environment, "severity": alert.severity}
    labels = alert.labels | {label: value for label, value in named.items() if value is not None}
    labels.setdefault("alertname", alert.title)
    found = Alert(
        name=labels["alertname"],
        labels=labels,
        summary=alert.title,
        description=alert.description,
        started_at=alert.started_at or received_at,
        ended_at=received_at if alert.status == "resolved" else None,
        fingerprint=fingerprint_of(labels),
        link=alert.link,
        source=alert.source,
    )
    return (found,)
