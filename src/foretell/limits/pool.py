"""The part of each limit that all hosts share: GCRA in Redis, decided there in one step, by its clock."""

from typing import Any, NamedTuple

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from foretell.limits.parts import Parts

TIMEOUT_S = 0.05  # a request waits no longer than this, and only for a bucket of which nothing is at hand
PREFIX = b"foretell:limit:"
NS_OF_US = 1_000

# Microseconds, whole ones: a Lua number holds them exactly until the year 2255.
GRANT = """
local clock = redis.call('TIME')
local now = clock[1] * 1000000 + clock[2]
local interval, burst = tonumber(ARGV[1]), tonumber(ARGV[2])
local needed, wanted = tonumber(ARGV[3]), tonumber(ARGV[4])
local full_at = math.max(now, tonumber(redis.call('GET', KEYS[1]) or '0'))
local room = math.floor((burst * interval + now - full_at) / interval)
if room < needed and full_at > now then
  return {0, math.max(room, 0), full_at + math.min(needed, burst) * interval - burst * interval - now}
end
local granted = math.max(needed, math.min(room, wanted))
full_at = full_at + granted * interval
redis.call('SET', KEYS[1], string.format('%.0f', full_at), 'PX', math.ceil((full_at - now) / 1000) + 1)
return {granted, math.max(room - granted, 0), 0}
"""
GIVE_BACK = """
local full_at = tonumber(redis.call('GET', KEYS[1]) or '0')
if full_at > 0 then
  redis.call('SET', KEYS[1], string.format('%.0f', full_at - ARGV[1] * ARGV[2]), 'KEEPTTL')
end
"""


class Grant(NamedTuple):
    """What the pool said: how much it gave, what is left, and else how long to wait."""

    tokens: int
    remaining: int
    wait_ns: int


class Pool:
    """Raises `redis.RedisError` where Redis does not answer in time."""

    def __init__(self, url: str) -> None:
        self._redis = redis.Redis.from_url(
            url, socket_timeout=TIMEOUT_S, socket_connect_timeout=TIMEOUT_S, retry=Retry(NoBackoff(), 0)
        )
        self._grant = self._redis.register_script(GRANT)
        self._give_back = self._redis.register_script(GIVE_BACK)

    def ping(self) -> None:
        self._redis.ping()

    def grant(self, bucket: bytes, parts: Parts, *, needed: int, wanted: int) -> Grant:
        """Ask for `wanted` tokens, and at least `needed`."""
        arguments = [parts.pool_interval_us, parts.pool_burst, needed, max(needed, wanted)]
        answer: Any = self._grant(keys=[PREFIX + bucket], args=arguments)
        tokens, remaining, wait_us = (int(number) for number in answer)
        return Grant(tokens, remaining, wait_us * NS_OF_US)

    def give_back(self, bucket: bytes, parts: Parts, cost: int) -> None:
        self._give_back(keys=[PREFIX + bucket], args=[cost, parts.pool_interval_us])

    def close(self) -> None:
        self._redis.close()
