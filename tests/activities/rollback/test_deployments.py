"""The Ops Portal: what could be rolled back, and one deployment of an exact version."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from temporalio.exceptions import ApplicationError

from activities.registry import ActivitySet
from activities.rollback.deployers.ops_portal import portal_would_pick
from incidents.domain.activity_results import DeploymentOrdered
from incidents.domain.rollback.activity_requests import FindRollback, FollowDeployment, Redeploy
from incidents.domain.rollback.config import Rollback
from incidents.domain.rollback.known_good import Deployment, Offer
from sandbox.server import RunningSandbox
from tests.activities.conftest import failed, operations, perform

RULES = Rollback()
POST = "POST /ops/api/v1/deployments"


def look(activities: ActivitySet, *clusters: str, ago: timedelta = timedelta()) -> tuple[Offer, ...]:
    asked = FindRollback(
        key="k",
        workflow_id="incident-x",
        service="flag-evaluation",
        clusters=clusters,
        alerted_at=datetime.now(UTC) - ago,
        rules=RULES,
    )
    outcome = perform(activities.deployments.find_rollback, asked)
    reasons = "; ".join(offer.reason for offer in outcome.offers)
    assert outcome.detail == reasons or outcome.detail.startswith(f"{reasons}; newest deploys to ")
    return tuple(outcome.offers)


def order(activities: ActivitySet, version: str = "v2.14.0") -> Redeploy:
    """Roll eu back to that version."""
    [offer] = look(activities, "eu-001")
    assert offer.suspect is not None
    return Redeploy(
        key="k",
        cluster="eu-001",
        version=version,
        services=("server",),
        suspect_id=offer.suspect.id,
        mark=offer.mark,
        rules=RULES,
    )


def test_49_the_suspect_and_the_last_known_good_are_found(activities: ActivitySet, sandbox: RunningSandbox) -> None:
    sandbox.deploy("eu", "v9-bad")
    eu, us = look(activities, "eu-001", "us-001")
    assert eu.suspect is not None
    assert eu.candidate is not None
    assert (eu.suspect.version, eu.suspect.cluster, eu.candidate.version) == ("v9-bad", "eu-001", "v2.14.0")
    assert "v9-bad was deployed to eu-001" in eu.reason
    assert [row.version for row in eu.recent][:2] == ["v9-bad", "v2.14.0"], "the brief names the newest"
    assert (us.possible, us.suspect) == (False, None)


def test_48_no_deployment_in_the_window(activities: ActivitySet) -> None:
    [offer] = look(activities, "eu-001")
    assert not offer.possible
    assert offer.reason.startswith("eu-001: no deploy in the last 2h (newest: v"), "the responder sees how near it is"
    assert offer.reason.endswith(" before the alert)")


def test_48_a_deployment_after_the_alert_is_not_its_cause(activities: ActivitySet, sandbox: RunningSandbox) -> None:
    sandbox.deploy("eu", "v9-fix")
    [offer] = look(activities, "eu-001", ago=timedelta(minutes=2))
    assert not offer.possible


def test_49_a_version_that_failed_or_was_rolled_back_is_passed_over(
    activities: ActivitySet, sandbox: RunningSandbox
) -> None:
    sandbox.history(
        "eu",
        {"version": "v1", "status": "success"},
        {"version": "v2", "status": "success"},
        {"version": "v1", "status": "success", "rollback_from": "v2"},
        {"version": "v3", "status": "failed"},
        {"version": "v2", "status": "success"},
    )
    sandbox.deploy("eu", "v9-bad")
    [offer] = look(activities, "eu-001")
    assert offer.candidate is not None
    assert (offer.candidate.version, offer.candidate.rollback_from) == ("v1", "v2")
    assert [(seen.deployment.version, seen.reason) for seen in offer.considered[:2]] == [
        ("v2", "was rolled back to v1"),
        ("v3", "status failed"),
    ]


def test_49_a_version_too_short_in_service_is_passed_over(activities: ActivitySet, sandbox: RunningSandbox) -> None:
    sandbox.deploy("eu", "v9-brief")
    sandbox.deploy("eu", "v9-bad")
    [offer] = look(activities, "eu-001")
    assert offer.candidate is not None
    assert offer.candidate.version == "v2.14.0"
    assert offer.considered[0].deployment.version == "v9-brief"


def test_49_without_a_good_version_a_person_is_told(activities: ActivitySet, sandbox: RunningSandbox) -> None:
    sandbox.history("eu", {"version": "v1", "status": "failed"})
    sandbox.deploy("eu", "v9-bad")
    [offer] = look(activities, "eu-001")
    assert (offer.possible, offer.candidate) == (False, None)
    assert offer.reason == "eu-001: v9-bad is suspect, but there is no known-good version before it"


def test_49_the_whole_history_is_read(activities: ActivitySet, sandbox: RunningSandbox) -> None:
    good = {"version": "v1", "status": "success"}
    sandbox.history("eu", good, *({"version": f"w{n}", "status": "failed"} for n in range(120)))
    sandbox.deploy("eu", "v9-bad")
    [offer] = look(activities, "eu-001")
    assert offer.candidate is not None
    assert offer.candidate.version == "v1", "it is on the portal's second page"


def test_a_cluster_that_the_portal_does_not_know(activities: ActivitySet, sandbox: RunningSandbox) -> None:
    sandbox.deploy("eu", "v9-bad")
    mars, eu = look(activities, "mars-001", "eu-001")
    assert mars.reason == "mars-001: not found in the Ops Portal"
    assert eu.possible, "the other cluster is judged all the same"
    wanted = order(activities).replace(cluster="mars-001")
    assert perform(activities.deployments.redeploy, wanted).skipped == "mars-001: not found in the Ops Portal"


def test_the_portals_rollback_is_asked_where_it_would_pick_our_candidate(
    activities: ActivitySet, sandbox: RunningSandbox
) -> None:
    sandbox.deploy("eu", "v9-bad")
    outcome = perform(activities.deployments.redeploy, order(activities))
    [row] = sandbox.ledger("ops_portal")
    assert (row["operation"], row["payload"]["version"]) == ("deployment.rollback", "v2.14.0")
    assert row["payload"]["rollback_from"] == "v9-bad", "so the portal, too, knows what was rolled back"
    assert outcome.reference == row["payload"]["id"]


def test_otherwise_the_exact_version_is_deployed(activities: ActivitySet, sandbox: RunningSandbox) -> None:
    """The portal sees the two newest rows only: it would find nothing here."""
    sandbox.deploy("eu", "v9-worse")
    sandbox.deploy("eu", "v9-bad")
    outcome = perform(activities.deployments.redeploy, order(activities, "v2.13.1"))
    [row] = sandbox.ledger("ops_portal")
    assert row["operation"] == "deployment.create"
    assert (outcome.detail, outcome.reference) == (f"deployment {row['payload']['id']}", row["payload"]["id"])
    assert (row["payload"]["version"], row["payload"]["services"]) == ("v2.13.1", ["server"])
    assert not [call for call in sandbox.calls("ops_portal") if "rollback" in call["path"]]
    assert {name: region["version"] for name, region in sandbox.state()["product"].items()} == {
        "eu": "v2.13.1",
        "us": "v2.14.0",
    }


def test_the_portal_never_rolls_forward_for_us(activities: ActivitySet, sandbox: RunningSandbox) -> None:
    """Rolling back a rollback row would deploy the bad version again."""
    sandbox.history(
        "eu",
        {"version": "v1", "status": "success"},
        {"version": "v2-bad", "status": "success"},
        {"version": "v1", "status": "success", "rollback_from": "v2-bad"},
    )
    newest = sandbox.state()["ops_portal"]["deployments"][0]["id"]
    wanted = Redeploy(
        key="k", cluster="eu-001", version="v1", services=("server",), suspect_id=newest, mark=newest, rules=RULES
    )
    perform(activities.deployments.redeploy, wanted)
    assert [row["payload"]["version"] for row in sandbox.ledger("ops_portal")] == ["v1"]
    assert operations(sandbox, "ops_portal") == ["deployment.create"]


def test_where_the_portal_thinks_otherwise_the_exact_version_is_deployed(
    activities: ActivitySet, sandbox: RunningSandbox
) -> None:
    sandbox.deploy("eu", "v9-bad")
    wanted = order(activities)
    body = {"error": "no previous successful deployment found to roll back to"}
    sandbox.fault("ops_portal", "status", "/rollback", status=422, body=body)
    perform(activities.deployments.redeploy, wanted)
    assert operations(sandbox, "ops_portal") == ["deployment.create"]


@pytest.mark.parametrize(
    ("rows", "picks"),
    [
        (("bad success", "v1 success"), "v1"),
        (("bad success", "v2 in_progress", "v1 success"), None),
        (("v1 success", "bad success"), "bad"),
        (("bad success",), None),
    ],
)
def test_what_the_portals_own_rollback_would_pick(rows: tuple[str, ...], picks: str | None) -> None:
    history = [
        Deployment(id=str(n), cluster="eu", version=words[0], status=words[1], started_at=datetime.now(UTC))
        for n, words in enumerate(row.split() for row in rows)
    ]
    assert portal_would_pick(history, "0") == picks


def test_nothing_is_waited_for_at_the_portal(activities: ActivitySet, sandbox: RunningSandbox) -> None:
    sandbox.deploy("eu", "v9-bad")
    perform(activities.deployments.redeploy, order(activities))
    wanted = FollowDeployment(key="k", reference="whatever", version="v1", rules=RULES)
    assert "does not report completion" in perform(activities.deployments.follow_deployment, wanted).detail


def attempted(activities: ActivitySet, wanted: Redeploy, attempt: int) -> DeploymentOrdered | None:
    """What an attempt brings; None if Temporal would make another one."""
    try:
        return DeploymentOrdered.model_validate(perform(activities.deployments.redeploy, wanted, attempt=attempt))
    except ApplicationError as error:
        if error.non_retryable:
            raise
        return None


TROUBLES = {
    "a session that ran out": lambda box: box.fault(
        "ops_portal", "status", POST, status=401, body={"error": "token_expired"}
    ),
    "a rate limit": lambda box: box.fault("ops_portal", "rate_limit", POST, retry_after=0),
    "a burst of errors": lambda box: box.fault("ops_portal", "status", POST, status=503, times=3),
    "a broken connection": lambda box: box.fault("ops_portal", "reset", POST),
    "a hanging endpoint": lambda box: box.fault("ops_portal", "timeout", POST, retry_after=30),
    "a log-in page": lambda box: box.fault("ops_portal", "status", POST, status=200, body="<html>Log in</html>"),
    "a lost reply": lambda box: box.fault("ops_portal", "lost_reply", POST),
    "a lost reply of the rollback": lambda box: box.fault("ops_portal", "lost_reply", "/rollback", status=502),
}


@pytest.mark.parametrize("trouble", TROUBLES)
def test_53_whatever_happens_on_the_way_it_is_deployed_once(
    activities: ActivitySet, sandbox: RunningSandbox, trouble: str
) -> None:
    if "rollback" not in trouble:
        sandbox.deploy("eu", "v9-worse")
    sandbox.deploy("eu", "v9-bad")
    wanted = order(activities)
    TROUBLES[trouble](sandbox)
    found = None
    for attempt in range(1, 6):
        if found is None:
            found = attempted(activities, wanted, attempt)
    assert found is not None
    [row] = sandbox.ledger("ops_portal")
    assert (found.reference, row["payload"]["version"]) == (row["payload"]["id"], "v2.14.0")


def test_a_name_that_does_not_resolve_is_tried_again(
    sandbox: RunningSandbox, wired: Callable[..., ActivitySet]
) -> None:
    nowhere = wired(**sandbox.environment() | {"OPS_PORTAL_URL": "http://no-such-host.invalid"})
    asked = FindRollback(
        key="k", workflow_id="x", service="s", clusters=("eu-001",), alerted_at=datetime.now(UTC), rules=RULES
    )
    assert not failed(nowhere.deployments.find_rollback, asked).non_retryable


def test_50_a_label_marks_a_release_that_cannot_be_taken_back(activities: ActivitySet, sandbox: RunningSandbox) -> None:
    rules = RULES.replace(irreversible=("^irreversible$",))
    sandbox.history("eu", {"version": "v1"}, {"version": "v2", "labels": ["irreversible"]})
    asked = FindRollback(
        key="k",
        workflow_id="x",
        service="s",
        clusters=("eu-001",),
        alerted_at=datetime.now(UTC),
        rules=rules.replace(suspicion_window=timedelta(days=30)),
    )
    [offer] = perform(activities.deployments.find_rollback, asked).offers
    assert "v2 is marked irreversible" in offer.caution


@pytest.mark.parametrize("status", [None, 500, 504])
def test_53_a_redeployment_whose_reply_is_lost_is_made_once(
    activities: ActivitySet, sandbox: RunningSandbox, status: int | None
) -> None:
    sandbox.deploy("eu", "v9-bad")
    wanted = order(activities)
    sandbox.fault("ops_portal", "lost_reply", POST, status=status)
    assert not failed(activities.deployments.redeploy, wanted).non_retryable
    found = perform(activities.deployments.redeploy, wanted, attempt=2)
    assert perform(activities.deployments.redeploy, wanted.replace(again=True)) == found
    [row] = sandbox.ledger("ops_portal")
    assert found.reference == row["payload"]["id"]
    assert "started by an earlier attempt" in found.detail


def test_53_a_redeployment_that_never_arrived_is_made(activities: ActivitySet, sandbox: RunningSandbox) -> None:
    sandbox.deploy("eu", "v9-bad")
    wanted = order(activities)
    sandbox.fault("ops_portal", "reset", POST)
    failed(activities.deployments.redeploy, wanted)
    assert operations(sandbox, "ops_portal") == []
    perform(activities.deployments.redeploy, wanted, attempt=2)
    assert len(operations(sandbox, "ops_portal")) == 1, "older rows of that version do not count"


def test_a_session_that_the_portal_forgot_is_opened_anew(activities: ActivitySet, sandbox: RunningSandbox) -> None:
    look(activities, "eu-001")
    sandbox.reset()
    assert len(look(activities, "eu-001")) == 1


def test_what_is_off_says_so(activities: ActivitySet, idle: ActivitySet, sandbox: RunningSandbox) -> None:
    off = "Ops Portal not configured (OPS_PORTAL_URL and OPS_PORTAL_EMAIL and OPS_PORTAL_PASSWORD are not set)"
    asked = FindRollback(
        key="k",
        workflow_id="incident-x",
        service="flag-evaluation",
        clusters=("eu-001",),
        alerted_at=datetime.now(UTC),
        rules=RULES,
    )
    assert perform(idle.deployments.find_rollback, asked).skipped == off
    sandbox.deploy("eu", "v9-bad")
    assert perform(idle.deployments.redeploy, order(activities)).skipped == off


def test_a_redirect_to_a_log_in_page_deploys_nothing_and_says_so(
    activities: ActivitySet, sandbox: RunningSandbox
) -> None:
    sandbox.deploy("eu", "v9-worse")
    sandbox.deploy("eu", "v9-bad")
    wanted = order(activities)
    sandbox.fault("ops_portal", "status", POST, status=302, body="<html>Log in</html>", times=None)
    error = failed(activities.deployments.redeploy, wanted)
    assert "302" in error.message or "redirect" in error.message
    assert operations(sandbox, "ops_portal") == []
