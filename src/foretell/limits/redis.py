"""One limit over several hosts: in all of them together never more than it says, and hardly ever a request that waits for Redis.

A request takes from what its host has for itself, then from what the host holds on lease, which a thread renews before it is used
up. Only where neither is at hand, as with a limit of a few requests, Redis is asked on the way, for at most 50 ms. While Redis is away
each host goes by what it holds, and then by its share of the limit.
"""

import queue
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import redis

from foretell.limits.claims import Claim, Decision, Limiter
from foretell.limits.leases import Leases
from foretell.limits.parts import Parts, parts_of
from foretell.limits.pool import Grant, Pool
from foretell.limits.rates import NS

PROBE_EVERY_S = 1.0
# How long a refusal of the pool's is believed: a bucket that is overrun does not flood Redis, and what is given back is found.
LEAST_HOLD_NS, LONGEST_HOLD_NS = NS // 200, NS
NEVER = (0, 0)
MAX_REMEMBERED = 65_536

Job = Callable[[], object]


class RedisLimiter:
    """Limits over `hosts` hosts.

    Parameters
    ----------
    local
        The limiter of this host, for the host's own parts.
    leases
        The file of what this host holds.
    """

    def __init__(self, url: str, *, local: Limiter, leases: Path, hosts: int) -> None:
        self._pool, self._local, self._leases, self._hosts = Pool(url), local, Leases(leases), hosts
        self._parts: dict[bytes, Parts] = {}
        self._left: dict[bytes, int] = {}  # in the pool, when it was asked last
        self._refused: dict[
            bytes, tuple[int, int]
        ] = {}  # until when that is believed; when there is more (monotonic ns)
        self._renewing: set[bytes] = set()
        self._jobs: queue.SimpleQueue[Job] = queue.SimpleQueue()
        self.is_up = False
        self.probe()
        threading.Thread(target=self._work, name="limits in redis", daemon=True).start()

    def take(self, claims: Sequence[Claim], cost: int = 1) -> Decision | None:
        """Charge every claim, or none of them where one refuses."""
        if not claims:
            return None
        parts = [self._parts_of(claim) for claim in claims]
        own = [part.own for part in parts if part.own]
        if len(own) == len(parts):
            decision = self._local.take(own, cost)
            if decision is not None and decision.allowed:
                return self._of_own(claims, parts, decision)
        return self._taken_singly(claims, parts, cost)

    def give_back(self, claims: Sequence[Claim], cost: int = 1) -> None:
        """Undo what `take` charged: into the pool, wherever it was taken from, so that all hosts have it."""
        for claim in claims:
            self._give_back(claim, self._parts_of(claim), cost)

    def clear(self) -> None:
        """Forget what this host has taken and holds."""
        self._local.clear()
        self._leases.clear()
        self._refused.clear()

    def probe(self) -> None:
        """Find out whether Redis is there."""
        try:
            self._pool.ping()
            self.is_up = True
        except redis.RedisError:
            self.is_up = False

    # --- each claim from where there is something ---

    def _taken_singly(self, claims: Sequence[Claim], parts: Sequence[Parts], cost: int) -> Decision:
        from_own = self._taken_from_own(parts, cost)
        undo: list[Job] = [lambda: self._local.give_back([part.own for part in from_own if part.own], cost)]
        least: Decision | None = None
        for claim, part in zip(claims, parts, strict=True):
            if part in from_own:
                continue
            decision = self._taken_from_pool(claim, part, cost)
            if not decision.allowed:
                for job in undo:
                    job()
                return decision
            undo.append(lambda claim=claim, part=part: self._give_back(claim, part, cost))  # type: ignore[misc]  # a lambda's defaults
            if least is None or decision.remaining < least.remaining:
                least = decision
        return least or self._decision(claims[0], 0)

    def _taken_from_own(self, parts: Sequence[Parts], cost: int) -> list[Parts]:
        """Take from every part of this host's own that has enough; return those."""
        candidates = [part for part in parts if part.own]
        while candidates:
            decision = self._local.take([part.own for part in candidates if part.own], cost)
            if decision is None or decision.allowed:
                return candidates
            candidates = [part for part in candidates if part.own and part.own.policy is not decision.policy]
        return []

    def _taken_from_pool(self, claim: Claim, part: Parts, cost: int) -> Decision:
        bucket = claim.bucket
        if part.lease and (held := self._leases.spend(bucket, cost)) >= 0:
            if held * 2 < part.lease:
                self._renew(bucket, part)
            return self._decision(claim, held + self._left.get(bucket, 0))
        if not self.is_up:
            return self._taken_from_rest(part, cost)
        if self._refused.get(bucket, NEVER)[0] > time.monotonic_ns():
            return self._refusal(claim)
        try:
            grant = self._granted(bucket, part, needed=cost)
        except redis.RedisError:
            self.is_up = False
            return self._taken_from_rest(part, cost)
        if grant.tokens < cost:
            return self._refusal(claim)
        self._hold(bucket, part, grant.tokens - cost)
        return self._decision(claim, grant.tokens - cost + grant.remaining)

    def _taken_from_rest(self, part: Parts, cost: int) -> Decision:
        decision = self._local.take([part.rest], cost)
        assert decision is not None  # noqa: S101  there is a claim
        return decision

    def _give_back(self, claim: Claim, part: Parts, cost: int) -> None:
        if self.is_up:
            self._jobs.put(lambda: self._pool.give_back(claim.bucket, part, cost))
        self._local.give_back([part.rest], cost)

    # --- the pool ---

    def _granted(self, bucket: bytes, part: Parts, *, needed: int) -> Grant:
        wanted = needed + part.lease - (self._leases.held(bucket) if part.lease else 0)
        grant = self._pool.grant(bucket, part, needed=needed, wanted=wanted)
        self._remember(bucket, grant)
        if grant.tokens:
            # What this host had of the pool counts against its share of it: Redis may be away in a moment.
            mirrored = self._local.take([part.rest], grant.tokens)
            if mirrored is not None and not mirrored.allowed:
                self._local.give_back([part.rest], -grant.tokens)
        return grant

    def _remember(self, bucket: bytes, grant: Grant) -> None:
        if len(self._left) >= MAX_REMEMBERED:
            self._left.clear()
            self._refused.clear()
        self._left[bucket] = grant.remaining
        if grant.wait_ns:
            now = time.monotonic_ns()
            believed_ns = min(max(grant.wait_ns, LEAST_HOLD_NS), LONGEST_HOLD_NS)
            self._refused[bucket] = (now + believed_ns, now + grant.wait_ns)

    def _hold(self, bucket: bytes, part: Parts, tokens: int) -> None:
        """Race condition: another process may have fetched some as well; what is too much goes back."""
        too_many = self._leases.hold(bucket, tokens, most=part.lease) if part.lease else tokens
        if too_many:
            self._jobs.put(lambda: self._pool.give_back(bucket, part, too_many))

    def _renew(self, bucket: bytes, part: Parts) -> None:
        """Let the thread fill up what this host holds, before it is used up."""
        if self.is_up and bucket not in self._renewing:
            self._renewing.add(bucket)
            self._jobs.put(lambda: self._renewed(bucket, part))

    def _renewed(self, bucket: bytes, part: Parts) -> None:
        try:
            if self._leases.held(bucket) < part.lease:
                grant = self._granted(bucket, part, needed=0)
                self._hold(bucket, part, grant.tokens)
        finally:
            self._renewing.discard(bucket)

    def _work(self) -> None:
        probe_at = 0.0
        while True:
            try:
                job = self._jobs.get(timeout=PROBE_EVERY_S)
                if self.is_up:
                    job()
            except queue.Empty:
                pass
            except redis.RedisError:
                self.is_up = False
            if not self.is_up and time.monotonic() >= probe_at:
                self._renewing.clear()
                self.probe()
                probe_at = time.monotonic() + PROBE_EVERY_S

    # --- what is told ---

    def _of_own(self, claims: Sequence[Claim], parts: Sequence[Parts], decision: Decision) -> Decision:
        """Return what a taker of this host's own part is told; half of it gone, the next is fetched."""
        index = next(i for i, claim in enumerate(claims) if claim.policy is decision.policy)
        claim, part = claims[index], parts[index]
        if decision.remaining * 2 < part.lease:
            self._renew(claim.bucket, part)
        return self._decision(claim, decision.remaining + self._left.get(claim.bucket, part.pool_burst))

    def _decision(self, claim: Claim, remaining: int) -> Decision:
        """Return that it is allowed; how much is left is as true as what this host heard last."""
        remaining = min(remaining, claim.policy.rate.burst)
        missing = claim.policy.rate.burst - remaining
        return Decision(True, claim.policy, remaining, missing * claim.interval_ns / NS)

    def _refusal(self, claim: Claim) -> Decision:
        wait_ns = max(0, self._refused.get(claim.bucket, NEVER)[1] - time.monotonic_ns())
        return Decision(False, claim.policy, 0, claim.tolerance_ns / NS, wait_ns / NS)

    def _parts_of(self, claim: Claim) -> Parts:
        parts = self._parts.get(claim.bucket)
        if parts is None:
            if len(self._parts) >= MAX_REMEMBERED:
                self._parts.clear()
            parts = self._parts[claim.bucket] = parts_of(claim, hosts=self._hosts)
        return parts
