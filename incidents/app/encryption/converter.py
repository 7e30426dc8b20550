"""The data converter of every client: one place, so that no client reads or writes payloads otherwise."""

import dataclasses

from temporalio.converter import DataConverter, DefaultFailureConverterWithEncodedAttributes

from incidents.app.encryption.codec import EncryptionCodec
from incidents.app.encryption.key_ring import KeyRing


def encrypting(converter: DataConverter, ring: KeyRing) -> DataConverter:
    """Return the converter with payloads encrypted by the ring, and with them messages and stack traces of failures.

    Without keys nothing is encrypted; what is encrypted already is refused with the id of the missing key.
    """
    codec = EncryptionCodec(ring)
    if not ring:
        return dataclasses.replace(converter, payload_codec=codec)
    return dataclasses.replace(
        converter, payload_codec=codec, failure_converter_class=DefaultFailureConverterWithEncodedAttributes
    )
