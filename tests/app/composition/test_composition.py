"""What the settings choose: one adapter for each deployer, and the pager that decides whether anyone can be paged."""

from unittest.mock import Mock

import pytest
from temporalio.client import Client

from incidents.app import pager_check
from incidents.app.composition import activities as composition
from incidents.app.composition.integrations import why_off
from incidents.app.settings import Settings
from incidents.domain.rollback.config import Deployer, Rollback
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
