"""The settings of metrics, logs and traces."""

from typing import Literal

from pydantic import SecretStr, field_validator
from pydantic_settings import BaseSettings

from incidents.app.setting_types import WebUrl
from incidents.app.temporal_settings import checked_address


class TelemetrySettings(BaseSettings):
    """Where metrics are served and who may read them, how log lines look, and where traces go. Part of `Settings`."""

    metrics_address: str = ""
    metrics_token: SecretStr = SecretStr("")
    log_format: Literal["console", "json"] = "console"
    otel_exporter_otlp_endpoint: WebUrl = ""

    @field_validator("metrics_address")
    @classmethod
    def _metrics(cls, address: str) -> str:
        return checked_address(address)
