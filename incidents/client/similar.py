"""Other incidents that resemble one: by visibility, so without a worker."""

from temporalio.client import Client, WorkflowExecution

from incidents.client.asking import TIMEOUT
from incidents.client.lookup import MOST, without_reset_ones
from incidents.names import INCIDENT_WORKFLOW
from incidents.search_attributes import BAD_RELEASES, NUMBER, SERVICE


async def list_similar(client: Client, run: WorkflowExecution) -> list[tuple[WorkflowExecution, str]]:
    """Return other incidents that resemble this one, each with the reason: the strongest first, then the newest."""
    own = run.typed_search_attributes
    service, number, bad = own.get(SERVICE) or "", own.get(NUMBER), set(own.get(BAD_RELEASES) or ())
    alike = [f"WorkflowId = {_quoted(run.id)}", f"{SERVICE.name} = {_quoted(service)}"]
    alike += [f"{BAD_RELEASES.name} = {_quoted(release)}" for release in sorted(bad)]
    query = f"WorkflowType = '{INCIDENT_WORKFLOW}' AND ExecutionStatus != 'ContinuedAsNew' AND ({' OR '.join(alike)})"
    found = [other async for other in client.list_workflows(query, limit=MOST, rpc_timeout=TIMEOUT)]
    newest_first = without_reset_ones(sorted(found, key=lambda other: other.start_time, reverse=True))
    others = [other for other in newest_first if other.typed_search_attributes.get(NUMBER) not in (None, number)]
    ranked = [(other, *_likeness(other, run.id, bad)) for other in others]
    return [(other, why) for other, _, why in sorted(ranked, key=lambda row: row[1])]


def _likeness(other: WorkflowExecution, workflow_id: str, bad: set[str]) -> tuple[int, str]:
    """Return how strongly an incident resembles another, 0 most, and why."""
    shared = sorted(bad & set(other.typed_search_attributes.get(BAD_RELEASES) or ()))
    if other.id == workflow_id:
        return 0, "same alert"
    return (1, f"same bad release {', '.join(shared)}") if shared else (2, "same service")


def _quoted(text: str) -> str:
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"
