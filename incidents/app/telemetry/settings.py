"""The settings of metrics, logs and traces."""

from typing import Literal

from pydantic import SecretStr, field_validator
from pydantic_settings import BaseSettings

from incidents.app.temporal_settings import checked_address


class TelemetrySettings(BaseSettings):
    """Where the worker serves its metrics, who may read them, and how log lines look. Part of `Settings`."""

    metrics_address: str = ""
    metrics_token: SecretStr = SecretStr("")
    log_format: Literal["console", "json"] = "console"

    @field_validator("metrics_address")
    @classmethod
    def _metrics(cls, address: str) -> str:
        return checked_address(address)
