"""What operators type to end a pause of an activity that they made at Temporal."""

import shlex


def unpause_command(workflow_id: str, activity_id: str) -> str:
    """Return the command that continues a paused activity."""
    return f"temporal activity unpause --workflow-id {shlex.quote(workflow_id)} --activity-id {activity_id}"
