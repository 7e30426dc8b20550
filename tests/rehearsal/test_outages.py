"""What fails in a rehearsal, also for a runbook whose regions are not those of the sandbox."""

from collections.abc import Iterator
from datetime import timedelta

import httpx
import pytest

from incidents.domain.foresight.rehearsal.outside import Deployed, Outage, Part
from incidents.rehearsal.fitting import products
from incidents.rehearsal.outages import Outages
from sandbox.server import RunningSandbox, running_sandbox
from tests.support.incidents import RUNBOOK

FIRST, *_ = RUNBOOK.regions
ELSEWHERE = RUNBOOK.replace(regions=tuple(FIRST.replace(name=name) for name in ("fra", "dub")))


@pytest.fixture
def sandbox() -> Iterator[RunningSandbox]:
    with running_sandbox() as running:
        yield running


def health(sandbox: RunningSandbox, region: str) -> int:
    at = products(ELSEWHERE)[region]
    return httpx.get(f"{sandbox.url}/product/{at}/health", trust_env=False).status_code


def test_each_region_has_a_product_of_its_own() -> None:
    assert products(RUNBOOK) == {"eu": "eu", "us": "us"}
    assert products(ELSEWHERE) == {"fra": "eu", "dub": "us"}


def test_an_outage_of_a_region_of_any_name_is_one_of_that_region_alone(sandbox: RunningSandbox) -> None:
    outages = Outages(sandbox, ELSEWHERE)
    outages.begin(Outage.model_validate({"of": Part.PRODUCT, "region": "dub", "for": "5m"}), timedelta())
    assert (health(sandbox, "fra"), health(sandbox, "dub")) == (200, 503)
    outages.end(timedelta(minutes=5))
    assert (health(sandbox, "fra"), health(sandbox, "dub")) == (200, 200)


def test_a_broken_version_breaks_a_region_of_any_name(sandbox: RunningSandbox) -> None:
    Outages(sandbox, ELSEWHERE).deploy(Deployed(version="v9", region="dub", broken=True))
    product = sandbox.state()["product"]
    assert [name for name, state in product.items() if state["bad"]] == [products(ELSEWHERE)["dub"]]
