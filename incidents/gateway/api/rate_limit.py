"""How many requests one sender may send: a bucket of tokens for each, in this process."""

from collections.abc import Callable
from dataclasses import dataclass
from math import ceil


@dataclass
class _Bucket:
    left: float
    at: float
    is_told: bool = False


class RateLimit:
    """Lets each sender send `burst` requests at once, and `per_minute` in the long run."""

    MOST_SENDERS = 10_000
    """Senders that are remembered. Of more, those are forgotten that have not sent anything for the longest."""

    def __init__(self, per_minute: float, burst: int, clock: Callable[[], float]) -> None:
        """Limit by that clock, in monotonic seconds."""
        self._per_second, self._burst, self._clock = per_minute / 60, burst, clock
        self._buckets: dict[str, _Bucket] = {}

    def wait(self, sender: str) -> int:
        """Take one request from what the sender has left; return 0, or after how many seconds there is one again."""
        now = self._clock()
        bucket = self._buckets.pop(sender, None) or _Bucket(self._burst, now)
        self._buckets[sender] = bucket  # the newest is the last
        if len(self._buckets) > self.MOST_SENDERS:
            del self._buckets[next(iter(self._buckets))]
        bucket.left = min(self._burst, bucket.left + (now - bucket.at) * self._per_second)
        bucket.at = now
        if bucket.left < 1:
            return max(1, ceil((1 - bucket.left) / self._per_second))
        bucket.left, bucket.is_told = bucket.left - 1, False
        return 0

    def is_first_refusal(self, sender: str) -> bool:
        """Tell whether this is the first refusal since the sender's last request that was let through."""
        bucket = self._buckets.get(sender)
        if bucket is None or bucket.is_told:
            return False
        bucket.is_told = True
        return True
