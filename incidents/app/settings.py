"""Everything that the environment configures. Nothing else reads environment variables.

A variable that is empty counts as unset, and every one is optional: what lacks its credentials is off, and
`Settings.integrations()` says so. Entry points call `load_settings()`; nothing is read at import.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated, Any, Literal, Self
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, ValidationError, field_validator, model_validator
from pydantic_settings import BaseSettings, NoDecode, PydanticBaseSettingsSource, SettingsConfigDict

from incidents.app.composition.needs import NEEDS, SHARED, Integration
from incidents.app.encryption.key_ring import KeyRing, parse_key_ring
from incidents.app.folders import state_folder
from incidents.app.secret_files import SecretFileError, read_secret
from incidents.app.setting_types import (
    EcPublicKey,
    HeaderName,
    Networks,
    NtfyTopics,
    NtfyUrl,
    PayloadKeys,
    RoutingKeys,
    SecretFiles,
    SigningSecret,
    TopicArns,
    WebUrl,
    checked_url,
    domain_of,
    fault_in_words,
    from_json,
    without_login,
)
from incidents.app.telemetry.settings import TelemetrySettings
from incidents.app.temporal_settings import ADDRESS, NAMESPACE, SettingsError, checked_address

UNSET = SecretStr("")


class Settings(TelemetrySettings):
    """The environment, checked. Secrets are `SecretStr`, and false when unset."""

    model_config = SettingsConfigDict(
        env_ignore_empty=True, extra="ignore", frozen=True, hide_input_in_errors=True, validate_default=False
    )

    temporal_address: str = ADDRESS
    temporal_namespace: str = NAMESPACE
    temporal_task_queue: str = "incidents"
    temporal_api_key: SecretStr = UNSET
    temporal_tls: bool | None = None
    temporal_tls_client_cert_path: Path | None = None
    temporal_tls_client_key_path: Path | None = None
    temporal_tls_server_ca_cert_path: Path | None = None
    temporal_tls_server_name: str = ""
    payload_keys: PayloadKeys = UNSET

    runbook_file: Path | None = None
    evidence_url: str = Field(default_factory=lambda: Path("evidence").absolute().as_uri())
    alert_spool: Path = Field(default_factory=lambda: state_folder() / "spool")
    drill_url: str = Field(default_factory=lambda: Path("drills").absolute().as_uri())
    gateway_token: SecretStr = UNSET
    api_tokens: Path = Field(default_factory=lambda: state_folder() / "api-tokens.json")
    gateway_url: WebUrl = ""
    gateway_secret: SigningSecret = UNSET
    oidc_issuer: WebUrl = ""
    oidc_client_id: str = ""
    oidc_client_secret: SecretStr = UNSET
    trusted_proxies: Networks = ()
    trusted_proxy_header: HeaderName = "X-Forwarded-Email"
    temporal_ui_url: WebUrl = ""
    report_temporal_outage: bool | None = None
    worker_query_safety: Literal["evict", "no-cache", "none"] = "evict"
    worker_sandbox: bool = False
    worker_cached_workflows: int | None = Field(default=None, ge=1)
    worker_alive_file: Path | None = None
    worker_deployment_name: str = Field(default="", pattern=r"^[\w-]{0,64}$")
    worker_build_id: str = Field(default="", pattern=r"^[\w.+-]{0,64}$")

    slack_bot_token: SecretStr = UNSET
    slack_app_token: SecretStr = UNSET
    slack_signing_secret: SecretStr = UNSET
    slack_team_id: str = Field(default="", pattern=r"^(T[A-Z0-9]{2,20})?$")
    slack_api_url: WebUrl = "https://slack.com/api/"

    sendgrid_api_key: SecretStr = UNSET
    sendgrid_api_url: WebUrl = "https://api.sendgrid.com"
    sendgrid_webhook_public_key: EcPublicKey = ""
    smtp_url: SecretStr = UNSET
    email_from: str = "FeatureSignals Incident Response Team <incidents@featuresignals.com>"
    email_reply_to: str = ""

    updates_webhook_url: SecretStr = UNSET

    statuspage_api_key: SecretStr = UNSET
    statuspage_page_id: str = ""
    statuspage_api_url: WebUrl = "https://api.statuspage.io/v1"

    status_site_url: str = ""

    github_token: SecretStr = UNSET
    github_repository: str = ""
    github_api_url: WebUrl = "https://api.github.com"
    tracker_folder: Path | None = None

    pagerduty_routing_key: SecretStr = UNSET
    pagerduty_routing_keys: RoutingKeys = {}
    pagerduty_api_key: SecretStr = UNSET
    pagerduty_api_url: WebUrl = "https://api.pagerduty.com"
    pagerduty_events_url: WebUrl = "https://events.pagerduty.com"
    pagerduty_webhook_secret: SecretStr = UNSET
    pagerduty_alerts_secret: SecretStr = UNSET
    github_webhook_secret: SecretStr = UNSET
    sentry_client_secret: SecretStr = UNSET
    sns_topic_arns: TopicArns = ()

    ntfy_url: NtfyUrl = UNSET
    ntfy_topics: NtfyTopics = {}
    ntfy_token: SecretStr = UNSET

    zoom_account_id: str = ""
    zoom_client_id: str = ""
    zoom_client_secret: SecretStr = UNSET
    zoom_api_url: WebUrl = "https://api.zoom.us/v2"
    zoom_oauth_url: WebUrl = "https://zoom.us/oauth/token"

    ops_portal_url: WebUrl = ""
    ops_portal_email: str = ""
    ops_portal_password: SecretStr = UNSET
    ops_portal_edge_token: SecretStr = UNSET

    signoz_url: WebUrl = ""
    signoz_api_key: SecretStr = UNSET
    prometheus_url: WebUrl = ""
    alertmanager_url: WebUrl = ""
    grafana_url: WebUrl = ""
    grafana_token: SecretStr = UNSET

    product_api_url: WebUrl = ""
    product_api_token: SecretStr = UNSET
    database_url: SecretStr = UNSET

    probe_urls: Annotated[dict[str, str], NoDecode] = {}

    http_timeout_seconds: float = Field(default=5, gt=0, le=60)
    probe_timeout_seconds: float = Field(default=5, gt=0, le=60)

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Read the environment, and the files that it names for secrets."""
        return init_settings, SecretFiles(settings_cls), env_settings

    @model_validator(mode="before")
    @classmethod
    def _trim(cls, values: dict[str, Any]) -> dict[str, Any]:
        """Blanks around a value are never meant: a file's last line break easily becomes part of a token."""
        trimmed = {name: value.strip() if isinstance(value, str) else value for name, value in values.items()}
        return {name: value for name, value in trimmed.items() if value != ""}

    @model_validator(mode="after")
    def _versioned(self) -> Self:
        if bool(self.worker_deployment_name) != bool(self.worker_build_id):
            raise ValueError("must set both WORKER_DEPLOYMENT_NAME and WORKER_BUILD_ID, or neither")
        return self

    @model_validator(mode="after")
    def _on_a_server(self) -> Self:
        if self.ntfy_topics and not self.ntfy_url:
            raise ValueError("must set NTFY_URL if NTFY_TOPICS is set: it names the server of the topics")
        return self

    @field_validator("temporal_address")
    @classmethod
    def _address(cls, address: str) -> str:
        return checked_address(address)

    @field_validator("github_repository")
    @classmethod
    def _repository(cls, name: str) -> str:
        if not re.fullmatch(r"[\w.-]+/[\w.-]+", name):
            raise ValueError("must be owner/name")
        return name

    @field_validator("smtp_url")
    @classmethod
    def _mail_server(cls, url: SecretStr) -> SecretStr:
        parts = urlsplit(url.get_secret_value())
        if parts.scheme not in ("smtp", "smtps") or not parts.hostname:
            raise ValueError("must be a URL that begins with smtp:// or smtps://")
        return url

    @field_validator("updates_webhook_url")
    @classmethod
    def _webhook(cls, url: SecretStr) -> SecretStr:
        checked_url(url.get_secret_value())
        return url

    @field_validator("evidence_url", "status_site_url", "drill_url")
    @classmethod
    def _place(cls, url: str) -> str:
        return url if "://" in url else Path(url).expanduser().absolute().as_uri()

    @field_validator("probe_urls", mode="before")
    @classmethod
    def _probes(cls, text: object) -> object:
        urls = from_json(text)
        if not isinstance(urls, dict) or not all(isinstance(url, str) for url in urls.values()):
            raise ValueError('must be a JSON object, such as {"eu": "https://api.eu.example.com"}')
        return {region: checked_url(url) for region, url in urls.items()}

    def integrations(self) -> tuple[Integration, ...]:
        """Every integration in a fixed order: whether it is on and, if it is off, which variable is missing."""
        listed = [self._integration(name, needs) for name, needs in NEEDS.items()]
        encryption = Integration("payload encryption", bool(self.key_ring), self.key_ring.describe())
        return (*listed, encryption, Integration("evidence", True, f"goes to {without_login(self.evidence_url)}"))

    @property
    def key_ring(self) -> KeyRing:
        """The keys that encrypt and decrypt payloads."""
        return parse_key_ring(self.payload_keys.get_secret_value())

    @property
    def listens_to_slack(self) -> bool:
        """Tell whether the gateway takes clicks, so that messages may have buttons."""
        return bool(self.slack_app_token or self.slack_signing_secret)

    def is_on(self, name: str) -> bool:
        """Whether the integration of this name has all that it needs."""
        return all(self._has(variable) for variable in NEEDS[name])

    @property
    def drill_evidence_url(self) -> str:
        """Where evidence and post-mortems of drills are written."""
        return f"{self.drill_url}/evidence"

    @property
    def signoz_edge_token(self) -> SecretStr:
        """The edge's token for SigNoz if it stands behind the same edge as the Ops Portal, that is, in its domain.

        A SigNoz elsewhere does not get this token.
        """
        portal, signoz = (domain_of(url) for url in (self.ops_portal_url, self.signoz_url))
        return self.ops_portal_edge_token if portal and portal == signoz else UNSET

    def _integration(self, name: str, needs: tuple[str, ...]) -> Integration:
        missing = [variable for variable in needs if not self._has(variable)]
        if not missing:
            return Integration(name, True, f"{' and '.join(needs)} set")
        absent = f"{' and '.join(missing)} {'is' if len(missing) == 1 else 'are'} not set"
        begun = [variable for variable in needs if variable not in missing and variable not in SHARED]
        if begun:
            return Integration(name, False, f"error: {absent} (set: {', '.join(begun)})", half_set=True)
        return Integration(name, False, absent)

    def _has(self, variable: str) -> bool:
        return bool(getattr(self, variable.lower()))


def load_settings() -> Settings:
    """The settings from the environment.

    Raises:
        SettingsError: a variable holds something unusable, or a secret's file cannot be read; all of them are named.
    """
    try:
        return Settings()
    except SecretFileError as error:
        problems = [str(error)]
    except ValidationError as error:
        problems = [fault_in_words(found["loc"], found["msg"]) for found in error.errors()]
    # Outside of `except`, so that no traceback shows pydantic's error, which holds the values.
    raise SettingsError("; ".join(problems))


def read_variable(name: str) -> str:
    """Return the value of an environment variable that runbook.yaml names for its probes; "" if it is not set.

    Raises:
        SettingsError: the file of `NAME_FILE` cannot be read, or both are set.
    """
    try:
        return read_secret(name)
    except SecretFileError as error:
        raise SettingsError(str(error)) from None
