"""A token bucket: a few calls at once, then as many as the refill allows. Pure: the caller says what time it is."""


class TokenBucket:
    """At most `burst + per_second * t` calls are made within any t seconds. It begins full.

    A call is reserved, then made or given back. Only what is made takes its token.
    """

    def __init__(self, burst: int, per_second: float, now: float) -> None:
        """Fill the bucket.

        Args:
            burst: tokens that a full bucket holds.
            per_second: tokens that are added each second.
            now: seconds of a clock that never goes back, here as everywhere.
        """
        if burst < 1 or per_second <= 0:
            raise ValueError("a bucket holds at least one token, and is refilled")
        self._whole = burst, per_second
        self._burst, self._per_second = float(burst), per_second
        self._tokens, self._at, self._reserved = self._burst, now, 0

    def share(self, among: int, now: float) -> None:
        """Be one of so many equal buckets, which hold and add together what this one did alone, or a token each."""
        self._tokens, self._at = self._available(now), now
        burst, per_second = self._whole
        self._burst, self._per_second = max(1.0, burst / among), per_second / among
        self._tokens = min(self._tokens, self._burst)

    def reserve(self, now: float) -> float:
        """Reserve a call and return 0, or return how many seconds it takes until one can be.

        Infinity: none can be before another one is made or given back.
        """
        wanted = self._reserved + 1
        if wanted > self._burst:
            return float("inf")
        if (missing := wanted - self._available(now)) > 0:
            return missing / self._per_second
        self._reserved = wanted
        return 0.0

    def make(self, now: float) -> None:
        """Make a reserved call."""
        self._reserved -= 1
        self._tokens, self._at = self._available(now) - 1, now

    def give_back(self) -> None:
        """Give up a reserved call that was not made."""
        self._reserved -= 1

    def _available(self, now: float) -> float:
        """Return how many tokens there are. Fewer than none: reserved before the bucket had to be shared."""
        return min(self._burst, self._tokens + self._per_second * (now - self._at))
