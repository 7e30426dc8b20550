"""Types of settings: what a variable's text must be."""

import re
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator
from pydantic_settings import NoDecode

_TOPIC = re.compile(r"arn:aws[a-z-]*:sns:[a-z0-9-]+:[0-9]{12}:[A-Za-z0-9_.-]{1,256}")


def checked_url(url: str) -> str:
    """Return the URL.

    Raises:
        ValueError: it is none of the web.
    """
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError("must be a URL that begins with http:// or https://")
    return url


def _topics(text: object) -> object:
    """Return the topics of a list with commas, since the environment holds text only."""
    topics = [one.strip() for one in text.split(",") if one.strip()] if isinstance(text, str) else text
    if not isinstance(topics, list | tuple) or not all(_TOPIC.fullmatch(str(topic)) for topic in topics):
        raise ValueError("must be ARNs of SNS topics, such as arn:aws:sns:eu-west-1:123456789012:alarms")
    return topics


WebUrl = Annotated[str, AfterValidator(checked_url)]
"""A URL that begins with http:// or https://."""
TopicArns = Annotated[tuple[str, ...], NoDecode, BeforeValidator(_topics)]
"""ARNs of SNS topics, with commas between them."""
