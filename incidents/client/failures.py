"""Failures in Temporal's own records: their texts may be encrypted (incidents/app/encryption)."""

from temporalio.api.failure.v1 import Failure
from temporalio.client import Client
from temporalio.exceptions import FailureError

from incidents.client.problems import Undecryptable


async def message_of(client: Client, failure: Failure) -> str:
    """Return a failure's message in clear text; if it cannot be decrypted, why not."""
    if not failure.HasField("encoded_attributes"):
        return failure.message
    copy = Failure()
    copy.CopyFrom(failure)
    try:
        error = await client.data_converter.decode_failure(copy)
    except Undecryptable as problem:
        return str(problem)
    return error.message if isinstance(error, FailureError) else str(error)
