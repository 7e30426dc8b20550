"""What the settings choose: one adapter for each deployer, and the pager that decides whether anyone can be paged."""

from unittest.mock import Mock

import pytest
from temporalio.client import Client

from activities.paging.ntfy import NtfyPager
from incidents.app import pager_check
from incidents.app.composition import activities as composition
from incidents.app.composition.integrations import why_off
from incidents.app.composition.pagers import build_own_pagers, build_pager, contacts_with_pager
from incidents.app.settings import Settings
from incidents.domain.rollback.config import Deployer, Rollback
from incidents.vendors.paging.pagerduty import PagerDutyEvents
from tests.support.incidents import RUNBOOK

PORTAL = {"ops_portal_url": "http://portal.example", "ops_portal_email": "a@y.example", "ops_portal_password": "p"}
GITHUB = {"github_token": "t", "github_repository": "a/b"}


@pytest.fixture(autouse=True)
def bare_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in Settings.model_fields:
        monkeypatch.delenv(name.upper(), raising=False)


@pytest.mark.parametrize("deployer", Deployer)
def test_every_deployer_is_built_or_says_what_is_missing(deployer: Deployer) -> None:
    rules, client = Rollback(deployer=deployer), Mock(spec=Client)
    bare = Settings()
    off = composition._deployments(bare, client, why_off(bare))
    assert off.deployer(rules) is None
    assert "not configured" in off.why_off(rules)
    configured = Settings.model_validate(PORTAL | GITHUB)
    assert composition._deployments(configured, client, why_off(configured)).deployer(rules) is not None


def test_91_any_pager_of_everyone_ends_the_warning(monkeypatch: pytest.MonkeyPatch) -> None:
    assert "NOBODY CAN BE PAGED" in pager_check.missing_pager_warning(Settings(), RUNBOOK)
    monkeypatch.setattr(pager_check, "build_pager", lambda settings: Mock())
    assert pager_check.missing_pager_warning(Settings(), RUNBOOK) == ""


NTFY = {"ntfy_url": "https://ntfy.example/topic"}


def test_91_a_topic_of_ntfy_is_a_pager_of_everyone() -> None:
    assert pager_check.missing_pager_warning(Settings.model_validate(NTFY), RUNBOOK) == ""
    missing = pager_check.missing_pager_warning(Settings(), RUNBOOK)
    assert "Set PAGERDUTY_ROUTING_KEY or NTFY_URL on the worker." in missing


def test_pagerduty_pages_where_both_pagers_are_set() -> None:
    both = Settings.model_validate(NTFY | {"pagerduty_routing_key": "k"})
    assert isinstance(build_pager(both), PagerDutyEvents)
    assert isinstance(build_pager(Settings.model_validate(NTFY)), NtfyPager)
    assert build_pager(Settings()) is None


def test_a_contact_has_a_pager_of_their_own_at_either_vendor() -> None:
    keys, topics = {"ceo": "k", "cto": "k"}, {"cto": "t", "em": "t"}
    settings = Settings.model_validate(NTFY | {"pagerduty_routing_keys": keys, "ntfy_topics": topics})
    kinds = {contact: type(pager) for contact, pager in build_own_pagers(settings).items()}
    assert kinds == {"ceo": PagerDutyEvents, "cto": PagerDutyEvents, "em": NtfyPager}
    assert contacts_with_pager(settings) == {*kinds}
