"""One scripted incident against the sandbox, from the deployment that broke it to its published post-mortem."""

from datetime import date, timedelta

from incidents.domain.incident.commands import Acknowledge, Assess, CorrectTime, Mark, Monitor, Resolve
from incidents.domain.postmortem import commands as l
from incidents.domain.postmortem.document.sections import Cause, ItemState
from incidents.domain.rollback.commands import DeclineRollback
from tests.support.communication.environment import T0, Stage
from tests.support.postmortems import quiet, tell

ROOM = "incident-1"
ANN, BOB = "oncall@featuresignals.com", "ops-lead@featuresignals.com"


async def broken_by_a_release(stage: Stage) -> None:
    """A release breaks evaluations in Europe at 13:48; 33 minutes later they are back, and people write down why."""
    sandbox = stage.sandbox
    rules = stage.runbook.investigation
    metrics = {"error ratio": "fs_evaluation_error_ratio", "latency p95 (s)": "fs_evaluation_latency_seconds"}
    stage.runbook = stage.runbook.replace(investigation=rules.replace(metrics=metrics))
    await a_bad_release(stage)
    await stage.open(settle=False, labels={"region": "eu"})
    await stage.settled()
    stage.fire("critical", labels={"region": "eu"})
    await stage.at(2)
    await stage.tell(Acknowledge(by="ann"))
    await summary(stage, ANN, "v2.15.0 went out to eu-001 at 13:48. The error ratio has been rising since.")
    await stage.at(6)
    await summary(stage, BOB, "The cache of the old release is read with the new format: every read fails.")
    await stage.tell(
        Assess(
            by="ann", impact="Flag evaluation fails in Europe.", customers=("Acme", "Globex"), services=("webhooks",)
        )
    )
    await stage.tell(
        DeclineRollback(by="bob", reason="we deploy v2.14.0 by hand, with the cache cleared", cluster="eu-001")
    )
    await stage.at(14)
    sandbox.clock(await stage.now())
    sandbox.deploy("eu", "v2.14.0")
    await summary(stage, BOB, "v2.14.0 is out with the cache cleared.")
    await stage.at(21)
    await stage.tell(Monitor(by="ann", text="Evaluations in Europe have recovered."))
    await stage.at(43)
    await stage.tell(Resolve(by="ann", text="Evaluations have been normal for 22 minutes.", force=True, reason="quiet"))
    await quiet(stage)
    earlier = T0 - timedelta(minutes=12)
    await stage.tell(CorrectTime(by="ann", which=Mark.STARTED, to=earlier, reason="the first failed evaluation"))
    await quiet(stage)


async def a_bad_release(stage: Stage) -> None:
    """Let a release go out to Europe that breaks it, twelve minutes before the alert."""
    sandbox = stage.sandbox
    stage.began = T0
    await stage.env.sleep(T0 - timedelta(minutes=12) - await stage.now())
    sandbox.clock(T0 - timedelta(minutes=12))
    for region in ("eu", "us"):
        sandbox.history(region, {"version": "v2.13.0"}, {"version": "v2.14.0"})
    sandbox.deploy("eu", "v2.15.0-bad")
    await stage.env.sleep(T0 - await stage.now())
    sandbox.clock(T0)


async def summary(stage: Stage, email: str, text: str) -> None:
    """Let a person write into the incident's channel."""
    stage.sandbox.clock(await stage.now())
    stage.sandbox.say(ROOM, email, text)


async def written_down(stage: Stage) -> None:
    """What its people found out, filled in by command, and published the next morning."""
    await stage.env.sleep(timedelta(hours=19))
    await tell(
        stage,
        l.EditDocument(
            by="ann",
            summary=(
                "v2.15.0 changed the format of the evaluation cache. In Europe it read a cache that v2.14.0 had"
                " written, and every evaluation failed from 13:48 on. The previous release, with the cache cleared,"
                " ended it."
            ),
            cause=Cause.DEPLOYMENT,
            whys=(
                "Why did evaluations fail? The cache could not be read.",
                "Why could it not be read? Its format had changed, and it held what the previous release had written.",
                "Why was that not seen before? The release was tested with an empty cache only.",
                "Why only with an empty cache? The test environment is made anew for each release.",
            ),
            root_cause="No test starts a release with the state that its predecessor leaves behind.",
            well=("The page was acknowledged within two minutes.", "The suspect release was named within six minutes."),
            better=("The alert came twelve minutes after the first failed evaluation.",),
        ),
    )
    for title, outcome, due in (
        ("Start releases on their predecessor's state in CI", "The job upgrade-test is required on main.", 28),
        ("Alert on the error ratio within three minutes", "The alert's `for` is 2m; a drill shows it.", 14),
    ):
        day = date(2030, 1, 8) + timedelta(days=due)
        item = l.SetActionItem(by="ann", title=title, owner="engineering_manager", due=day, outcome=outcome)
        await tell(stage, item)
    await quiet(stage)
    await stage.env.sleep(timedelta(minutes=1))
    await quiet(stage)
    await tell(stage, l.PublishPostmortem(by="ann"))
    await quiet(stage)
    await stage.env.sleep(timedelta(days=5))
    done = l.SettleActionItem(by="bob", number=2, state=ItemState.DONE)
    await tell(stage, done)
    await quiet(stage)
