"""The rules know no vendor: what a vendor is called comes from its adapter, as data (DESIGN: "no vendor's word")."""

import re
from pathlib import Path

DOMAIN = Path(__file__).resolve().parents[2] / "incidents" / "domain"
VENDORS = re.compile(
    r"pagerduty|(?<!latency_)slack|sendgrid|zoom|(?-i:[Ss]tatuspage)|github|alertmanager|signoz|prometheus|datadog|grafana|teams\b|portal",
    re.IGNORECASE,
)
ALLOWED = {
    r"\b(Channel|Reach|Deployer|AlertApi)\.[A-Z_]+\b": "one of what runbook.yaml chooses from, by the name it gives it",
    r"""^    SLACK = "slack"$""": "a channel, where its name is defined",
    r"\bgithub: (str\b|(?=GitHubActions))|`github`: their login|\bcontact\.github\b": "a person's login",
    r'GITHUB_ACTIONS = "github_actions"|\bGitHubActions\b|GitHub tells no inputs': "a deployer's own settings",
    r'OPS_PORTAL = "ops_portal"': "a deployer, where its name is defined",
    r"\brules\.github\.finish_within\b": "its settings, where they are read",
    r'ALERTMANAGER = "alertmanager"|"alertmanager": |GRAFANA = "grafana"': "an alert source and its API",
    r"""METRICS = "prometheus"|LOGS = "signoz_logs"|TRACES = "signoz_traces"|CHAT = "slack\"""": "what "
    "recorded histories and manifests hold",
    r"`?prometheus`?: |signoz_span|field_validator\(.prometheus.\)|The workflow that deploys": "settings of a baseline "
    "source: a query is written in the language of who answers it",
    r"^    (slack|pagerduty): str\b|\b(self|self\.entry\(name\))\.(slack|github|pagerduty)\b": "a person's ids and "
    "login, by the names that runbook.yaml gives them",
    r"\bgithub_(text|line)\b": "the escaping for a format, named as the format is (FORMATS)",
}
"""Config's data: words of runbook.yaml, which names what it configures. Each pattern has its reason."""
FORMATS = {"core/text/escaping.py", "core/text/mrkdwn.py"}
"""Text is escaped for the format of its target, and a format is called by the name of its inventor."""


def vendor_words(text: str) -> list[str]:
    """The lines that still hold a vendor's word without what is allowed."""
    found = []
    for line in text.splitlines():
        rest = line
        for pattern in ALLOWED:
            rest = re.sub(pattern, "", rest)
        if VENDORS.search(rest):
            found.append(line.strip())
    return found


def test_no_rule_names_a_vendor() -> None:
    files = [path for path in DOMAIN.rglob("*") if path.suffix in (".py", ".j2")]
    assert len(files) > 100
    words = {str(path.relative_to(DOMAIN)): vendor_words(path.read_text(encoding="utf-8")) for path in files}
    found = {path: lines for path, lines in words.items() if lines}
    assert set(found) == FORMATS, found


def test_every_exception_is_needed() -> None:
    text = "\n".join(path.read_text(encoding="utf-8") for path in DOMAIN.rglob("*.py"))
    assert [pattern for pattern in ALLOWED if not re.search(pattern, text, re.MULTILINE)] == []


def test_what_counts_as_a_vendors_word() -> None:
    assert vendor_words('says = f"PagerDuty rejected our credentials"') != []
    assert vendor_words('says = "not reported by the Ops Portal"') != []
    assert vendor_words("case Channel.SLACK:") == []
    assert vendor_words('case Channel.SLACK:  # Slack takes twenty a minute"') != []
    assert vendor_words("latency_slack_ms: float") == []
