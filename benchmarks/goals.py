"""What the fast lane promises: each goal, and the program beside this file that measures it."""

# ruff: noqa: RUF001  the sign for "times" is meant

from typing import NamedTuple


class Goal(NamedTuple):
    name: str
    program: str
    what: str
    goal: str


class Verdict(NamedTuple):
    """What a program found for a goal. `holds_back` says what stands in the way, in measured parts."""

    measured: str
    is_reached: bool
    holds_back: str = ""

    @property
    def said(self) -> str:
        return "reached" if self.is_reached else f"not reached: {self.holds_back}" if self.holds_back else "not reached"


GOALS = (
    Goal("cpu", "compare", "CPU per governed one-row iris prediction, 32 connections, 2 workers, all of the process tree", "≤ 80 µs"),
    Goal("constant", "compare", "throughput against a constant answer on the same server", "≥ 50 %"),
    Goal("raw", "compare", "… against the same raw prediction without governance", "≥ 75 %"),
    Goal("fastapi_per_s", "compare", "… against FastAPI + onnxruntime without auth, limits or log, requests/s", "≥ 2.3×"),
    Goal("fastapi_cpu", "compare", "… CPU per request", "≤ 0.38×"),
    Goal("peers", "compare", "… against the best dedicated server on the same forest, as the model comes", "≥ 25×"),
    Goal("peers_tuned", "compare", "… with theirs tuned (`n_jobs=None`, one OpenMP thread)", "≥ 12×"),
    Goal("drf_token", "compare", "… against the tutorials' DRF view with token auth", "≥ 150×"),
    Goal("p99", "compare", "p99 with one connection", "≤ 1.5 ms"),
    Goal("thousand", "compare", "1,000 rows of 30 features as JSON, against parse + runtime alone (p50, one connection)", "≤ 1.3×"),
    Goal("tenants", "many_tenants", "1,000 tenants with 10 models each, spread requests, against one tenant", "≥ 90 %"),
    Goal("idle_model", "many_tenants", "… memory of an idle model", "≤ 2 kB"),
    Goal("tenants_made", "tenants", "1,000 tenants: made by clone, 99 % of them", "≤ 0.5 s each"),
    Goal("tenants_migrated", "tenants", "… migrated in parallel", "to the end"),
    Goal("tenants_found", "tenants", "… host lookup against that with one", "as fast"),
    Goal("rest_cpu", "rest_catalogue", "10,000 models with 10 versions: any page, filter, search or order", "< 100 ms of CPU"),
    Goal("rest_queries", "rest_catalogue", "… queries", "≤ 6"),
    Goal("export", "rest_catalogue", "1,000,000 log rows as CSV and as Parquet: memory, against a tenth of them", "flat"),
    Goal("fairness_per_s", "fairness", "a tenant at ten times its limit: another's throughput", "costs ≤ 10 %"),
    Goal("fairness_p50", "fairness", "… its p50", "costs ≤ 10 %"),
    Goal("fairness_p99", "fairness", "… its p99", "costs ≤ 10 %"),
    Goal("limit", "limits", "limit L, 20,000 requests over 4 processes", "exactly L pass, every run"),
    Goal("logins", "logins", "1,000 bad logins at once: passwords hashed", "as many as the limit allows"),
    Goal("logins_memory", "logins", "… memory", "≤ 100 MB more"),
    Goal("logins_p99", "logins", "… p99 of predictions", "costs ≤ 20 %"),
    Goal("swaps", "swaps", "200 version swaps under full load", "0 failed, each answer one version's, byte for byte"),
    Goal("key", "propagation", "key revoked, until known everywhere", "≤ 1 s, 100 of 100"),
    Goal("role", "propagation", "role changed", "≤ 1 s, 100 of 100"),
    Goal("alias", "propagation", "alias moved", "≤ 1 s, 100 of 100"),
    Goal("outage", "prediction_log", "PostgreSQL stopped for 60 s under load", "100 % answered, 0 log rows lost or doubled"),
    Goal("kills", "prediction_log", "kill −9 of web, worker, drainer, 50 times under load", "0 acknowledged predictions lost or doubled"),
    Goal("hup", "restarts", "20 rolling restarts under load (SIGHUP)", "0 failed requests"),
    Goal("term", "restarts", "SIGTERM under load, 20 restarts", "0 failed requests"),
)  # fmt: skip
