"""54: the recorder of good times sends the configured probes."""

from datetime import timedelta
from pathlib import Path

from activities.rollback.health import Health
from activities.rollback.probes import RegionProbes
from incidents.contracts import RecorderInput
from incidents.domain.config.loading import parse_runbook
from incidents.vendors.product.probe import ProbeClient
from tests.support.environment import QUEUE, World
from tests.support.servers.product_server import product_server
from workflows.baseline_recorder import RecorderWorkflow

ACME = parse_runbook(Path("tests/support/acme.yaml").read_text(encoding="utf-8"), "acme.yaml")


async def test_54_a_round_measures_the_probe_of_the_runbook(empty_world: World) -> None:
    health = Health(RegionProbes(ProbeClient(5), {"ACME_STORE_TOKEN": "t"}.__getitem__), lambda *_: None)
    empty_world.activities.real = {"record_regions": health.record_regions}
    with product_server() as product:
        product.answer = {"checks": [{"state": "ready"}]}
        regions = (ACME.regions[0].replace(url=product.url),)
        start = RecorderInput(regions=regions, rules=ACME.rollback.recorder, probes=ACME.probes)
        async with empty_world.worker():
            recording = await empty_world.env.client.execute_workflow(
                RecorderWorkflow.run, start, id="recorder", task_queue=QUEUE, execution_timeout=timedelta(seconds=30)
            )
    [sample] = recording.samples
    assert (sample.region, len(sample.elapsed_ms)) == ("west", ACME.rollback.recorder.probes)
    assert set(product.asked) == {("GET", "/internal/ready?region=west", "Bearer t")}
