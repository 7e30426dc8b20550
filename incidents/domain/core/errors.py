"""What is wrong with a runbook, and the types of all errors of activities and workflows. No model is needed."""

from enum import StrEnum


class RunbookError(Exception):
    """The runbook cannot be used. One line for each fault: `file:line: field: what is wrong`."""


class ErrorType(StrEnum):
    """The types of all errors that activities and workflows raise, as the Temporal UI and retry policies name them.

    VENDOR_*: a vendor call failed; the details hold a `VendorFailure`.
    UNCHANGED: what is polled has not changed; Temporal repeats the poll.
    RUN_NOT_SEEN: a deployment was ordered, and its deployer does not list it yet.
    DEPLOYMENT_FAILED: a deployment ended in failure.
    EVIDENCE_UNSAVED: the evidence store could not take all evidence of a resolution.
    ROLLBACK_BROKEN: a rollback's workflow failed or was terminated.
    ROLLBACK_LOCKED: another rollback of that cluster and service is running.
    COMMAND_REJECTED: a rule rejects a responder's command.
    INCIDENT_PRIVATE: the incident is private, and the sender of a command may not see it.
    PROGRAM_ERROR: an error of this program kept a command from being applied.
    """

    VENDOR_UNAUTHORIZED = "VendorUnauthorized"
    VENDOR_REJECTED = "VendorRejected"
    VENDOR_NOT_FOUND = "VendorNotFound"
    VENDOR_RATE_LIMITED = "VendorRateLimited"
    VENDOR_UNAVAILABLE = "VendorUnavailable"
    UNCHANGED = "Unchanged"
    RUN_NOT_SEEN = "RunNotSeen"
    DEPLOYMENT_FAILED = "DeploymentFailed"
    EVIDENCE_UNSAVED = "EvidenceUnsaved"
    ROLLBACK_BROKEN = "RollbackBroken"
    ROLLBACK_LOCKED = "RollbackLocked"
    COMMAND_REJECTED = "CommandRejected"
    INCIDENT_PRIVATE = "IncidentPrivate"
    PROGRAM_ERROR = "ProgramError"


VENDOR_ERRORS = (
    ErrorType.VENDOR_UNAUTHORIZED,
    ErrorType.VENDOR_REJECTED,
    ErrorType.VENDOR_NOT_FOUND,
    ErrorType.VENDOR_RATE_LIMITED,
    ErrorType.VENDOR_UNAVAILABLE,
)
"""A vendor call failed. The message is one line without secrets; the details hold a `VendorFailure`."""

POLLS = (ErrorType.UNCHANGED, ErrorType.RUN_NOT_SEEN)
"""Not failures: Temporal repeats what is polled."""
