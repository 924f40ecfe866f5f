"""Passwords that cost next to nothing: what the tests hold, but for those of the hashing itself, is not what a hash costs."""

from foretell.accounts.passwords import Argon2Hasher

QUICK = {"time_cost": 1, "memory_cost": 8, "parallelism": 1}
AS_SERVED = {name: getattr(Argon2Hasher, name) for name in QUICK}


def hash_with(costs: dict[str, int]) -> None:
    for name, cost in costs.items():
        setattr(Argon2Hasher, name, cost)
