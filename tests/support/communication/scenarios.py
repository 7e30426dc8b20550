"""Two whole incidents, played against the sandbox, for docs/communication.md."""

from incidents.domain.incident.commands import (
    Acknowledge,
    Assess,
    DeclareSeverity,
    Monitor,
    PostUpdate,
    Publication,
    Resolve,
)
from tests.support.communication.environment import Stage

SLACK = ("update/", "notice/", "summary/", "topic/", "digest/", "invite", "bookmark", "channel")
"""What waits while Slack takes nothing."""


async def six_hours(stage: Stage) -> None:
    """A P0 that is lowered to P2 after two hours, raised again, and resolved after six."""
    await stage.begin()
    await stage.at(3)
    await stage.tell(Acknowledge(by="ann"))
    await stage.at(8)
    await stage.tell(Assess(by="ann", impact="Flags cannot be evaluated in Europe.", title="Flag evaluation in Europe"))
    await stage.at(26)
    await stage.tell(PostUpdate(by="ann", text="A configuration error is being reverted.", when=Publication.NEXT))
    await stage.at(52)
    await stage.tell(PostUpdate(by="bob", text="Half of the requests are served again."))
    await stage.at(81)
    await stage.tell(DeclareSeverity(by="ann", severity="P2", reason="only reports are late"))
    await stage.at(250)
    await stage.tell(DeclareSeverity(by="ann", severity="P0", reason="evaluations fail again"))
    await stage.at(265)
    await stage.tell(PostUpdate(by="ann", text="The second cause is known, and a fix is on its way."))
    await stage.at(335)
    await stage.tell(Monitor(by="ann", text="The fix is in place, and we are watching the recovery."))
    await stage.at(341)
    await stage.alert_ends()
    await stage.at(359)
    await stage.tell(Resolve(by="ann", text="Evaluations have been normal for 24 minutes."))


async def vendors_down(stage: Stage) -> None:
    """A P0 of two hours; Statuspage answers nothing for 90 minutes of it, and Slack says 429 for ten."""
    await stage.begin()
    await stage.at(4)
    await stage.tell(Acknowledge(by="ann"))
    await stage.at(10)
    stage.sandbox.fault("statuspage", "status", status=503, times=None)
    stage.sandbox.fault("slack", "rate_limit", retry_after=45, times=None)
    await stage.at(12, but=SLACK)
    await stage.tell(PostUpdate(by="ann", text="The cause is known."), but=SLACK)
    await stage.at(20, but=SLACK)
    stage.sandbox.clear_faults()
    stage.sandbox.fault("statuspage", "status", status=503, times=None)
    await stage.at(22, but="update/")
    for minute in (43, 73, 99.8):
        await stage.at(minute, but="update/")
    stage.sandbox.clear_faults()
    await stage.at(103)
    await stage.tell(Monitor(by="ann", text="We are watching the recovery."))
    await stage.at(119)
    await stage.tell(Resolve(by="ann", text="All is well.", force=True, reason="seen"))


async def two_hours(stage: Stage) -> None:
    """A P1 that is acknowledged too late, goes without a word twice, and is resolved after two hours."""
    await stage.begin("error")
    await stage.at(17)
    await stage.tell(Acknowledge(by="ann"))
    await stage.at(21)
    await stage.tell(Assess(by="ann", impact="Evaluations are slow in Europe."))
    await stage.at(55)
    await stage.tell(PostUpdate(by="ann", text="A fix is being tested.", when=Publication.NEXT))
    await stage.at(95)
    await stage.tell(Monitor(by="ann", text="The fix is in place."))
    await stage.at(100)
    await stage.alert_ends()
    await stage.at(112)
    await stage.tell(Resolve(by="ann", text="Evaluations have been normal for 15 minutes."))


async def four_hours(stage: Stage) -> None:
    """A P2 that is resolved after its first scheduled update, until its channel is archived."""
    await stage.begin("warning")
    await stage.at(30)
    await stage.tell(Acknowledge(by="ann"))
    await stage.at(245)
    await stage.tell(Resolve(by="ann", text="The dashboard is fast again."))
    await stage.at(285)
    assert (await stage.ended()).closed
