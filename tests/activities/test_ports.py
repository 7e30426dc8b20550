"""The contract of activities/ports.py, kept by every adapter: once, typed errors, and unknown is not "no"."""

import socket
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from aiosmtpd.controller import Controller

from activities import ports
from activities.chat.war_room import StaticMeeting
from activities.registry import ActivitySet
from activities.rollback.probes import RegionProbes
from incidents.domain.config.model import Region
from incidents.vendors.errors import (
    VendorNotFound,
    VendorRateLimited,
    VendorRejected,
    VendorUnauthorized,
    VendorUnavailable,
)
from incidents.vendors.mail.mail import Mail
from incidents.vendors.names import DISPLAY_NAMES
from incidents.vendors.product.probe import ProbeClient
from sandbox.server import RunningSandbox
from tests.support.adapters import ADAPTERS, Adapter, Bench, Files, GitHub, MarkdownFolder, SendGrid, Smtp
from tests.support.incidents import RUNBOOK
from tests.vendors.mail.test_smtp_mail import Postman

WITHOUT_A_VENDOR = {ports.HealthProbe}
"""Ports that are tried below: the failures of a probe are its measurements."""


@pytest.fixture
def bench(
    sandbox: RunningSandbox, wired: Callable[..., ActivitySet], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> Iterator[Bench]:
    postman = Postman()
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    controller = Controller(postman, hostname="127.0.0.1", port=port)
    controller.start()
    with monkeypatch.context() as patch:
        url = f"smtp://127.0.0.1:{port}"
        yield Bench(sandbox, wired, patch, tmp_path, url, postman.answers, postman.envelopes)
    controller.stop()


def each(adapters: Iterable[type[Adapter]]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("adapter", list(adapters), ids=lambda kind: kind.__name__, indirect=True)


@pytest.fixture
def adapter(request: pytest.FixtureRequest, bench: Bench) -> Adapter:
    made: Adapter = request.param(bench)
    return made


def test_every_port_has_an_adapter_here() -> None:
    data = {"HeldSilence", "PersonOnCall", "ChatChannel", "Room"}
    defined = {
        kind for name, kind in vars(ports).items() if getattr(kind, "_is_protocol", False) and name not in data
    } - {ports.__dict__["Protocol"]}
    assert {adapter.port for adapter in ADAPTERS} | WITHOUT_A_VENDOR == defined


@each(kind for kind in ADAPTERS if kind.finds_repeats)
def test_18_the_same_effect_with_the_same_marker_is_one_effect(adapter: Adapter) -> None:
    adapter.act("v1-one")
    adapter.act("v1-one", repeated=True)
    assert adapter.effects() == 1
    adapter.act("v2-other", repeated=True)
    assert adapter.effects() == 2, "another marker is another effect"


@each(kind for kind in ADAPTERS if kind.finds_repeats and not issubclass(kind, Files))
def test_18_an_effect_whose_reply_is_lost_is_found_by_its_marker(adapter: Adapter, sandbox: RunningSandbox) -> None:
    sandbox.fault(adapter.vendor, "lost_reply", adapter.lost, status=502)
    with pytest.raises(VendorUnavailable) as lost:
        adapter.act("v1-one")
    assert lost.value.maybe_done, "nobody knows, so the next attempt looks"
    adapter.act("v1-one", repeated=True)
    assert adapter.effects() == 1


@pytest.mark.parametrize("kind", [SendGrid, Smtp])
def test_mail_is_sent_at_least_once_and_never_to_nobody(bench: Bench, kind: type[SendGrid]) -> None:
    mailer = kind(bench)
    mailer.act("one")
    mailer.act("one", repeated=True)
    assert mailer.effects() == 2
    with pytest.raises(VendorRejected):
        mailer.mailer.send(Mail("incidents@featuresignals.com", (), "Down", "It is down.", "two"))


@each(ADAPTERS)
def test_21_rejected_credentials_name_their_vendor(adapter: Adapter) -> None:
    adapter.refuse_credentials()
    with pytest.raises(VendorUnauthorized) as refused:
        adapter.call()
    assert refused.value.vendor == adapter.vendor
    assert refused.value.vendor_name == DISPLAY_NAMES[adapter.vendor], "operators read a name"
    assert not refused.value.retryable


@each(kind for kind in ADAPTERS if kind.limits_rate)
def test_22_a_rate_limit_carries_how_long_to_wait(adapter: Adapter) -> None:
    adapter.limit_rate(7)
    with pytest.raises(VendorRateLimited) as limited:
        adapter.call()
    assert (limited.value.retryable, limited.value.vendor) == (True, adapter.vendor)
    if adapter.says_how_long:
        assert limited.value.retry_after is not None
        assert timedelta(seconds=5) <= limited.value.retry_after <= timedelta(seconds=7)
    else:
        assert limited.value.retry_after is None, "Temporal's own backoff serves"


@each(ADAPTERS)
def test_a_server_error_may_pass(adapter: Adapter) -> None:
    adapter.break_down()
    with pytest.raises(VendorUnavailable) as down:
        adapter.call()
    assert (down.value.retryable, down.value.vendor) == (True, adapter.vendor)


@each(kind for kind in ADAPTERS if kind.searches)
def test_87_what_does_not_exist_is_told_apart_from_what_cannot_be_asked(adapter: Adapter) -> None:
    assert not adapter.look_for_nothing()
    adapter.break_down()
    with pytest.raises(VendorUnavailable):
        adapter.look_for_nothing()


@pytest.mark.parametrize("kind", [GitHub, MarkdownFolder])
def test_a_ticket_that_does_not_exist_is_not_found(bench: Bench, kind: type[GitHub]) -> None:
    with pytest.raises(VendorNotFound):
        kind(bench).tracker.get_issue(404)


def test_a_static_meeting_is_the_same_one_for_every_topic() -> None:
    meeting: ports.Meeting = StaticMeeting("https://meet.example/always")
    created, found = meeting.create_meeting("one"), meeting.find_meeting("other")
    assert found is not None
    assert created.join_url == found.join_url == "https://meet.example/always"


def region_of(sandbox: RunningSandbox) -> Region:
    return Region(name="eu", url=f"{sandbox.url}/product/eu", cluster="eu-001")


@pytest.mark.parametrize("kind", ["timeout", "reset", "status"])
def test_a_health_probe_measures_and_never_raises(sandbox: RunningSandbox, kind: str) -> None:
    probe: ports.HealthProbe = RegionProbes(ProbeClient(0.2), lambda _: "fs_srv_sandbox_probe")
    region = region_of(sandbox)
    assert probe.look(RUNBOOK.probes, region).healthy
    sandbox.fault("product", kind, status=500 if kind == "status" else None, times=None)
    seen = probe.look(RUNBOOK.probes, region)
    assert (seen.healthy, seen.measured, seen.elapsed_ms) == (False, True, None)
    assert seen.problem
    assert all(answer.problem and answer.measured for answer in probe.send(RUNBOOK.probes, region))
    assert datetime.now(UTC) - seen.at < timedelta(minutes=1)


def test_55_a_health_probe_without_its_key_has_measured_nothing(sandbox: RunningSandbox) -> None:
    region = region_of(sandbox)
    wrong: ports.HealthProbe = RegionProbes(ProbeClient(5), lambda _: "fs_srv_wrong")
    unset: ports.HealthProbe = RegionProbes(ProbeClient(5), lambda _: "")
    assert not wrong.look(RUNBOOK.probes, region).measured
    assert not unset.look(RUNBOOK.probes, region).measured
    assert not wrong.look((), region).measured, "no probe was sent"
