"""What is chosen for a rollback, without spelling out a `Search`."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from incidents.domain.rollback.config import Rollback
from incidents.domain.rollback.known_good import Deployment, Offer, Search, choose_rollback


def chosen(
    history: tuple[Deployment, ...],
    cluster: str,
    alerted_at: datetime,
    rules: Rollback,
    blamed: Mapping[str, str] | None = None,
    **more: Any,
) -> Offer:
    """The offer for a search of these values."""
    search = Search(cluster=cluster, alerted_at=alerted_at, rules=rules, blamed=dict(blamed or {}), **more)
    return choose_rollback(history, search)
