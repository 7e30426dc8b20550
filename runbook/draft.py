"""The post-mortem's draft in Markdown, and what its reminders say."""

from datetime import datetime

from jinja2 import Environment, StrictUndefined

from runbook import effects
from runbook.duration import in_words
from runbook.effects import Effect
from runbook.incident import Incident
from runbook.policy import Runbook
from runbook.postmortem import Postmortem, PostmortemDuty, PostmortemObligation
from runbook.preservation import evidence_folder
from runbook.summary import impact

_DRAFT = """\
# Post-mortem of {{ incident.name }}: {{ incident.title }}

Blameless: what happened and what made it possible, not who. Owner: {{ owner }}. **Due {{ due }}.**

## Timeline

| UTC | who | what |
|---|---|---|
{% for entry in incident.timeline -%}
| {{ entry.at.strftime("%Y-%m-%d %H:%M:%S") }} | {{ entry.actor | cell }} | {{ entry.text | cell }} |
{% endfor %}
## Root cause

_Why did it happen? Ask five times, down to a gap in a process or a system._

1. Why? …
2. Why? …
3. Why? …
4. Why? …
5. Why? …

## Impact

| what | figure |
|---|---|
| Highest severity | {{ incident.highest_severity }} |
| Impact | {{ impact | cell }} |
| Customers | {{ customers | cell }} |
| Duration | {{ duration }} |
| Time to acknowledge | {{ acknowledge }} |
| Time to mitigate | {{ mitigate }} |
| Time to resolve | {{ resolve }} |
| Status updates published | {{ incident.updates | length }} |
| Times reopened | {{ incident.intervals | length - 1 }} |

## What went well

- …

## What could be better

- …
{%- for failure in incident.failures %}
- Not done by the program: `{{ failure.key }}`: {{ failure.reason | cell }}
{%- endfor %}

## Action items

_Specific, assigned, time-boxed; each linked to an issue._

| what | owner | due | issue |
|---|---|---|---|
| … | … | … | … |

## Review

To be presented at the next engineering all-hands.
"""


def _cell(text: object) -> str:
    """Keep a text within its table cell."""
    return " ".join(str(text).replace("|", "\\|").split())


_ENVIRONMENT = Environment(undefined=StrictUndefined, autoescape=False, keep_trailing_newline=True)
_ENVIRONMENT.filters["cell"] = _cell
_TEMPLATE = _ENVIRONMENT.from_string(_DRAFT)


def draft(postmortem: Postmortem, runbook: Runbook) -> str:
    """Return the draft: the timeline and the figures filled in, the thinking left to people."""
    incident = postmortem.incident
    assessment = incident.assessment
    return _TEMPLATE.render(
        incident=incident,
        owner=postmortem.owner,
        due=runbook.calendar.in_brackets(postmortem.due),
        impact=impact(incident, runbook),
        customers=", ".join(assessment.customers) if assessment and assessment.customers else "not assessed",
        duration=_duration(incident),
        acknowledge=_since_start(incident, incident.acknowledged_at),
        mitigate=_since_start(incident, incident.mitigated_at),
        resolve=_since_start(incident, incident.resolved_at),
    )


def _duration(incident: Incident) -> str:
    """Return the time that the incident was open, without the time between a resolution and a reopening."""
    total = sum((i.until - i.since).total_seconds() for i in incident.intervals)
    spans = " + ".join(in_words(i.until - i.since) for i in incident.intervals)
    return f"{int(total // 60)} min ({spans})" if len(incident.intervals) > 1 else spans or "not resolved"


def _since_start(incident: Incident, instant: datetime | None) -> str:
    return in_words(instant - incident.started_at) if instant else "never"


def postmortem_request(duty: PostmortemObligation, postmortem: Postmortem, runbook: Runbook, at: datetime) -> Effect:
    """Return what a hand is asked to do for a duty of the post-mortem. A breach asks for nothing."""
    again = duty.key in postmortem.begun
    key = f"{postmortem.incident.run_key}/postmortem/{duty.key}"
    if duty.duty is PostmortemDuty.DRAFT:
        name, folder = f"postmortem-{postmortem.round}.md", evidence_folder(postmortem.incident)
        return effects.KeepDocument(key=key, again=again, folder=folder, name=name, text=draft(postmortem, runbook))
    text = reminder_text(postmortem, runbook, at)
    room = postmortem.incident.resources.channel_id
    if duty.duty is PostmortemDuty.MAIL or room is None:
        return effects.SendMail(
            key=key,
            again=again,
            to=_recipients(postmortem, runbook, at),
            subject=f"Post-mortem of INC-{postmortem.number}: due {runbook.calendar.in_brackets(postmortem.due)}",
            text=text,
            thread=postmortem.incident.run_key,
            sequence=0,
            category="postmortem",
        )
    return effects.PostMessage(key=key, again=again, channel_id=room, text=text)


def _recipients(postmortem: Postmortem, runbook: Runbook, at: datetime) -> tuple[str, ...]:
    """Return the owner's address, if it is known, and the manager's."""
    owner = postmortem.owner if "@" in postmortem.owner else ""
    known = runbook.contacts.get(postmortem.owner)
    owner = known.email or owner if known else owner
    manager = runbook.contacts[runbook.postmortem.manager].email or ""
    late = at >= postmortem.due
    return tuple(dict.fromkeys(a for a in ((owner, manager) if late or not owner else (owner,)) if a))


def reminder_text(postmortem: Postmortem, runbook: Runbook, at: datetime) -> str:
    """Say how much time is left, or by how much it is late, and where the draft is."""
    left = postmortem.due - at
    when = runbook.calendar.in_brackets(postmortem.due)
    state = (
        f"due in {in_words(left)}, {when}" if left.total_seconds() > 0 else f"OVERDUE by {in_words(left)}, since {when}"
    )
    where = f" Draft: {postmortem.draft_url}" if postmortem.draft_url else ""
    return f"{postmortem.owner}: the post-mortem of INC-{postmortem.number} is {state}.{where}"
