"""`incident doctor` against a real server and the sandbox: all is well, and each thing that breaks is found."""

import asyncio
import base64
import contextlib
import os
from collections.abc import AsyncIterator, Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr
from temporalio import activity, workflow
from temporalio.api.operatorservice.v1 import RemoveSearchAttributesRequest
from temporalio.api.workflowservice.v1 import UpdateNamespaceRequest
from temporalio.client import Client
from temporalio.common import RetryPolicy
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.service import RPCError, RPCStatusCode
from temporalio.worker import Worker

from incidents.app.composition.needs import NEEDS
from incidents.app.composition.schedules import ensure_recorder
from incidents.app.composition.workers import make_setup_workers, make_worker
from incidents.app.doctor.checks import Check, Progress, run_checks
from incidents.app.doctor.doctor import diagnose
from incidents.app.doctor.integrations import CLIENTS, EVIDENCE, IntegrationChecks
from incidents.app.encryption.converter import encrypting
from incidents.app.encryption.key_ring import NO_KEYS, KeyRing, new_key, parse_key_ring
from incidents.app.runbook_file import load_runbook
from incidents.app.settings import load_settings
from incidents.client.heartbeats import ensure_heartbeats
from incidents.contracts import drill_queue
from incidents.domain.config.communication import Chat
from incidents.domain.doctor.finding import Finding, Level
from incidents.domain.numbering import Ledger
from incidents.names import NUMBERS_ID
from incidents.search_attributes import COMMANDER
from sandbox.environment import NTFY_PATH
from sandbox.server import RunningSandbox, running_sandbox
from tests.support.fake_activities import FakeActivities
from tests.support.servers.dev_server import DevServer
from workflows.numbering import IncidentNumbersWorkflow

QUEUE = "incidents"
OURS = parse_key_ring(new_key("ours"))


@activity.defn(name="never")
async def never() -> None:
    raise ValueError("no")


@activity.defn(name="greet")
async def greet(name: str) -> str:
    return f"Hello {name}"


@workflow.defn(name="Greeting", sandboxed=False)
class Greeting:
    @workflow.run
    async def run(self) -> None:
        await workflow.execute_activity(greet, "Ann", start_to_close_timeout=timedelta(seconds=5))


@workflow.defn(name="IncidentWorkflow", sandboxed=False)
class Retrying:
    @workflow.run
    async def run(self, pause: timedelta) -> None:
        retry = RetryPolicy(initial_interval=pause, maximum_interval=pause)
        await workflow.execute_activity(never, start_to_close_timeout=timedelta(seconds=5), retry_policy=retry)


@workflow.defn(name="PostmortemWorkflow", sandboxed=False)
class Broken:
    @workflow.run
    async def run(self) -> None:
        raise ValueError("broken")


@pytest.fixture(scope="module")
def sandbox() -> Iterator[RunningSandbox]:
    with running_sandbox() as running:
        yield running


@pytest.fixture
def environment(sandbox: RunningSandbox, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> RunningSandbox:
    """This process's environment is the sandbox's, and its folders are the test's."""
    sandbox.reset()
    for name in [name for name in os.environ if name.startswith(("TEMPORAL_", "PAYLOAD_"))]:
        if name != "TEMPORAL_DEBUG":
            monkeypatch.delenv(name)
    for name, value in sandbox.environment().items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("EVIDENCE_URL", str(tmp_path / "evidence"))
    monkeypatch.setenv("RUNBOOK_FILE", str(Path("runbook.yaml").absolute()))
    return sandbox


@contextlib.asynccontextmanager
async def working(client: Client, ring: KeyRing = NO_KEYS) -> AsyncIterator[None]:
    """All workers of a worker process, and what it sets up, and one workflow that has run."""
    settings, fake = load_settings(), FakeActivities()
    runbook = load_runbook(settings)
    config = client.config()
    config["data_converter"] = encrypting(pydantic_data_converter, ring)
    theirs = Client(**config)
    async with contextlib.AsyncExitStack() as stack:
        for queue in (QUEUE, drill_queue(QUEUE)):
            await stack.enter_async_context(make_worker(theirs, queue, fake.methods()))
            for worker in make_setup_workers(theirs, queue, fake.methods(), Chat()):
                await stack.enter_async_context(worker)
        await ensure_recorder(theirs, settings, runbook)
        await ensure_heartbeats(theirs, runbook, QUEUE)
        await theirs.start_workflow(IncidentNumbersWorkflow.run, Ledger(), id=NUMBERS_ID, task_queue=QUEUE)
        yield


async def healthy_namespace(server: DevServer, monkeypatch: pytest.MonkeyPatch) -> Client:
    """A namespace with the retention that the documentation asks for, and the environment pointed at it."""
    client = await server.client()
    request = UpdateNamespaceRequest(namespace=client.namespace)
    request.config.workflow_execution_retention_ttl.FromTimedelta(timedelta(days=90))
    await client.workflow_service.update_namespace(request, retry=True)
    monkeypatch.setenv("TEMPORAL_ADDRESS", client.service_client.config.target_host)
    monkeypatch.setenv("TEMPORAL_NAMESPACE", client.namespace)
    return client


async def found(**more: Any) -> list[Finding]:
    return (await diagnose(load_settings(), Progress(), **more)).findings


def of(findings: list[Finding], check: str) -> Finding:
    [finding] = [each for each in findings if each.check == check]
    return finding


def levels(findings: list[Finding], level: Level, *, but: bool = False) -> set[str]:
    return {each.check for each in findings if (each.level is level) is not but}


async def until(condition: Callable[[list[Finding]], bool]) -> list[Finding]:
    """Diagnose until it is so."""
    while not condition(findings := await found()):  # noqa: ASYNC110 - nothing else tells it
        await asyncio.sleep(0.2)
    return findings


def as_setting(ring: KeyRing) -> SecretStr:
    return SecretStr(",".join(f"{key.id}:{base64.b64encode(key.secret).decode()}" for key in ring.keys))


def bad(findings: list[Finding]) -> list[str]:
    return [f"{each.check}: {each.level}: {each.what}" for each in findings if each.level is not Level.OK]


async def test_all_is_well(dev_server: DevServer, environment: RunningSandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    client = await healthy_namespace(dev_server, monkeypatch)
    async with working(client):
        findings = await until(lambda findings: of(findings, "workers").level is not Level.ERROR)  # all poll
    assert [line for line in bad(findings) if "escalation.1.after" not in line] == [], "runbook.yaml has one warning"
    checked = {each.check for each in findings}
    assert {"temporal", "namespace", "search attributes", "workers", "workflows", "activities", "schedules"} < checked
    assert {"encryption", "runbook", "clock", "slack", "pagerduty", "github", "sendgrid", "statuspage"} < checked
    assert environment.ledger() == [], "nothing happened at any vendor"


async def test_without_a_server_everything_at_temporal_is_unknown(
    environment: RunningSandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TEMPORAL_ADDRESS", "127.0.0.1:1")
    findings = await found()
    assert of(findings, "temporal").level is Level.ERROR
    assert "connection refused at 127.0.0.1:1" in of(findings, "temporal").what
    for check in ("namespace", "search attributes", "workers", "workflows", "schedules", "encryption"):
        assert of(findings, check).level is Level.UNKNOWN, check
    assert of(findings, "slack").level is Level.OK, "the integrations are checked all the same"


async def test_a_namespace_that_does_not_exist(
    dev_server: DevServer, environment: RunningSandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    await healthy_namespace(dev_server, monkeypatch)
    monkeypatch.setenv("TEMPORAL_NAMESPACE", "nowhere")
    finding = of(await found(), "namespace")
    assert (finding.level, finding.what) == (Level.ERROR, "There is no namespace nowhere: no incident can be opened")


async def test_a_new_namespace_lacks_worker_schedule_and_attributes(
    dev_server: DevServer, environment: RunningSandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = await healthy_namespace(dev_server, monkeypatch)
    removal = RemoveSearchAttributesRequest(namespace=client.namespace, search_attributes=[COMMANDER.name])
    await client.operator_service.remove_search_attributes(removal, retry=True)
    findings = await found()
    attributes = of(findings, "search attributes")
    assert attributes.level is Level.ERROR
    assert "IncidentCommander" in attributes.what
    assert "--name IncidentCommander --type Keyword" in attributes.remedy
    assert of(findings, "workers").level is Level.ERROR
    assert (
        of(findings, "workers").what
        == "No worker polls incidents, incidents-setup-*, incidents-drill, incidents-drill-setup-*:"
        " what is sent there waits"
    )
    assert of(findings, "schedules").level is Level.WARNING
    assert of(findings, "encryption").level is Level.UNKNOWN


async def test_a_retention_that_ends_before_the_post_mortem_is_due(
    dev_server: DevServer, environment: RunningSandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = await healthy_namespace(dev_server, monkeypatch)
    request = UpdateNamespaceRequest(namespace=client.namespace)
    request.config.workflow_execution_retention_ttl.FromTimedelta(timedelta(days=1))
    await client.workflow_service.update_namespace(request, retry=True)
    finding = of(await found(), "namespace")
    assert finding.level is Level.WARNING
    assert "keeps closed workflows for 1d" in finding.what
    assert finding.remedy == f"temporal operator namespace update -n {client.namespace} --retention 90d"


async def test_wrong_tokens_are_told_apart_from_vendors_that_do_not_answer(
    environment: RunningSandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TEMPORAL_ADDRESS", "127.0.0.1:1")
    wrong = {
        "slack": "SLACK_BOT_TOKEN",
        "sendgrid": "SENDGRID_API_KEY",
        "statuspage": "STATUSPAGE_API_KEY",
        "github": "GITHUB_TOKEN",
        "pagerduty": "PAGERDUTY_ROUTING_KEY",
        "pagerduty schedules": "PAGERDUTY_API_KEY",
        "grafana": "GRAFANA_TOKEN",
        "zoom": "ZOOM_CLIENT_SECRET",
        "ops portal": "OPS_PORTAL_PASSWORD",
        "signoz": "SIGNOZ_API_KEY",
        "flag audit": "PRODUCT_API_TOKEN",
    }
    for variable in wrong.values():
        monkeypatch.setenv(variable, "a-wrong-one-that-nobody-may-read")
    environment.fault("alertmanager", "reset", times=None)
    findings = await found()
    for check, variable in wrong.items():
        assert of(findings, check).level is Level.ERROR, check
        assert variable in of(findings, check).remedy, check
    assert of(findings, "alertmanager").level is Level.UNKNOWN, "a vendor that is down says nothing of our credentials"
    assert of(findings, "prometheus").level is Level.OK
    assert "a-wrong-one" not in "".join(each.model_dump_json() for each in findings)


async def test_missing_scopes_and_rights(environment: RunningSandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TEMPORAL_ADDRESS", "127.0.0.1:1")
    environment.options(slack_scopes="chat:write,channels:read", sendgrid_scopes="stats.read", github_push=False)
    findings = await found()
    assert "lack bookmarks:read" in of(findings, "slack").what
    assert "chat:write" not in of(findings, "slack").what
    assert "lack mail.send" in of(findings, "sendgrid").what
    assert "lack push" in of(findings, "github").what
    assert {of(findings, check).level for check in ("slack", "sendgrid", "github")} == {Level.ERROR}


async def test_an_evidence_store_that_cannot_be_written(
    environment: RunningSandbox, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("TEMPORAL_ADDRESS", "127.0.0.1:1")
    (tmp_path / "file").touch()
    monkeypatch.setenv("EVIDENCE_URL", str(tmp_path / "file" / "evidence"))
    finding = of(await found(), EVIDENCE)
    assert (finding.level, "permission to write" in finding.what) == (Level.ERROR, True)


@pytest.mark.parametrize(
    ("off", "level", "words"),
    [(600, Level.ERROR, " ahead of "), (-30, Level.WARNING, "s behind "), (0, Level.OK, "within 5s")],
)
async def test_a_skewed_clock(
    off: int, level: Level, words: str, environment: RunningSandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TEMPORAL_ADDRESS", "127.0.0.1:1")
    finding = of(await found(now=lambda: datetime.now(UTC) + timedelta(seconds=off)), "clock")
    assert finding.level is level
    assert words in finding.what


@pytest.mark.parametrize(
    ("here", "there", "level", "words"),
    [
        (OURS, OURS, Level.OK, "the key ours here"),
        (OURS, NO_KEYS, Level.ERROR, "Workers cannot read what this process encrypts with the key ours"),
        (NO_KEYS, OURS, Level.ERROR, "This process cannot read what workers wrote"),
        (parse_key_ring(new_key("ours")), OURS, Level.ERROR, "another key has that id"),
    ],
)
async def test_keys_that_differ_from_the_workers(
    here: KeyRing,
    there: KeyRing,
    level: Level,
    words: str,
    dev_server: DevServer,
    environment: RunningSandbox,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    client = await healthy_namespace(dev_server, monkeypatch)
    async with working(client, there):
        settings = load_settings().model_copy(update={"payload_keys": as_setting(here)})
        findings = (await diagnose(settings, Progress())).findings
    finding = of(findings, "encryption")
    assert (finding.level, words in finding.what) == (level, True), finding.what


async def test_an_activity_that_retries_for_long_and_a_failing_workflow_task(
    dev_server: DevServer, environment: RunningSandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = await healthy_namespace(dev_server, monkeypatch)
    wait = timedelta(milliseconds=10)
    options: dict[str, Any] = {"task_queue": QUEUE, "task_timeout": timedelta(seconds=1)}
    async with Worker(client, task_queue=QUEUE, workflows=[Retrying, Broken], activities=[never]):
        await client.start_workflow(Retrying.run, wait, id="incident-retrying", **options)
        await client.start_workflow(Broken.run, id="postmortem-broken", **options)
        findings = await until(lambda findings: {"workflows", "activities"} <= levels(findings, Level.OK, but=True))
    assert of(findings, "activities").what.startswith("incident-retrying: never · ")
    assert "attempts failed: error in this program (ValueError)" in of(findings, "activities").what
    assert of(findings, "workflows").level is Level.ERROR
    assert "postmortem-broken" in of(findings, "workflows").what
    assert "incident reset postmortem-broken" in of(findings, "workflows").remedy


async def test_a_check_that_fails_or_takes_too_long_is_unknown_and_keeps_what_it_found() -> None:
    first = Finding(check="slow", level=Level.WARNING, what="found before")

    async def slow() -> AsyncIterator[Finding]:
        yield first
        await asyncio.sleep(60)

    async def broken() -> AsyncIterator[Finding]:
        raise KeyError("a secret")
        yield first

    async def denied() -> AsyncIterator[Finding]:
        raise RPCError("no", RPCStatusCode.PERMISSION_DENIED, b"")
        yield first

    progress = Progress()
    checks = [Check("slow", slow), Check("denied", denied), Check("broken", broken)]
    findings = await run_checks(checks, progress, 0.05)
    assert [(each.check, each.level) for each in findings] == [
        ("slow", Level.WARNING),
        ("slow", Level.UNKNOWN),
        ("denied", Level.UNKNOWN),
        ("broken", Level.UNKNOWN),
    ]
    assert findings[-2].what == "Temporal answered PERMISSION_DENIED: no"
    assert "the right to read the namespace" in findings[-2].remedy
    assert findings[-1].what == "The check failed (KeyError)"
    assert progress.waiting == []


@pytest.mark.parametrize(
    ("change", "level", "words"),
    [
        ({}, Level.UNKNOWN, "does not report whether they may publish"),
        ({"NTFY_TOKEN": "a-wrong-one"}, Level.ERROR, "rejected our credentials"),
        ({"NTFY_TOKEN": ""}, Level.ERROR, "lack the right to read the topic"),
    ],
)
async def test_ntfy_and_each_own_topic_are_polled_and_nothing_is_published(
    environment: RunningSandbox, monkeypatch: pytest.MonkeyPatch, change: dict[str, str], level: Level, words: str
) -> None:
    monkeypatch.setenv("TEMPORAL_ADDRESS", "127.0.0.1:1")
    added = {"NTFY_URL": environment.url + NTFY_PATH, "NTFY_TOPICS": '{"cto": "cto-77"}'} | change
    for name, value in added.items():
        monkeypatch.setenv(name, value)
    findings = await found()
    for check in ("ntfy", "ntfy of cto"):
        assert (of(findings, check).level, words in of(findings, check).what) == (level, True), of(findings, check)
    assert environment.ledger("ntfy") == []
    assert {call["path"].split("/")[2] for call in environment.calls("ntfy")} == {"incidents-sandbox", "cto-77"}


def test_every_integration_of_the_settings_has_a_check() -> None:
    assert set(CLIENTS) == {*NEEDS, EVIDENCE}


def test_half_set_credentials(environment: RunningSandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("STATUSPAGE_PAGE_ID")
    [check] = [
        each
        for each in IntegrationChecks(load_settings(), lambda: datetime.now(UTC)).checks()
        if each.name == "statuspage"
    ]

    async def only() -> list[Finding]:
        return [finding async for finding in check.run()]

    [finding] = asyncio.run(only())
    assert (finding.level, "STATUSPAGE_PAGE_ID is not set" in finding.what) == (Level.ERROR, True)


async def test_histories_that_this_process_cannot_read_while_no_worker_runs(
    dev_server: DevServer, environment: RunningSandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = await healthy_namespace(dev_server, monkeypatch)
    config = client.config()
    config["data_converter"] = encrypting(pydantic_data_converter, OURS)
    theirs = Client(**config)
    async with Worker(theirs, task_queue=QUEUE, workflows=[Greeting], activities=[greet]):
        await theirs.execute_workflow(Greeting.run, id="greeting", task_queue=QUEUE)
    findings = await until(lambda findings: of(findings, "encryption").level is Level.ERROR)
    assert "is encrypted with the key ours, which PAYLOAD_KEYS of this process lacks" in of(findings, "encryption").what
