"""The table of goals is whole, whatever was measured."""

from collections.abc import Callable
from typing import Any

from tests.benchmarks.conftest import BENCHMARKS

Program = Callable[[str], Any]


def measured(per_s: float, cpu_us: float, **more: float) -> dict[str, Any]:
    return {"per_s": per_s, "cpu_us": cpu_us, "p50_ms": 1.0, "p99_ms": 1.4, "errors": 0, "unanswered": 0, "generator_busy": 0.2,
            "split_us": {"web": [cpu_us / 2, cpu_us / 4], "worker": [cpu_us / 4, 0.0]}, **more}  # fmt: skip


def server(title: str, *shapes: str, per_s: float = 1_000.0, cpu_us: float = 100.0) -> dict[str, Any]:
    found = {shape: measured(per_s, cpu_us) for shape in shapes}
    return {"title": title, "cannot": None, "cold_start_s": 1.0, "pss_mb": 100.0, "measured": found}


def test_every_goal_has_a_program_that_measures_it(program: Program) -> None:
    for goal in program("goals").GOALS:
        assert f'"{goal.name}' in (BENCHMARKS / f"{goal.program}.py").read_text() or goal.program == "compare", goal
    judged = {goal.name for goal in program("goals").GOALS if goal.program == "compare"}
    assert judged == set(program("compared").JUDGES)


def test_all_of_them_are_run_together(program: Program) -> None:
    together = {each.name for each in program("all").PROGRAMS}
    assert {goal.program for goal in program("goals").GOALS} <= together
    assert all((BENCHMARKS / f"{name}.py").is_file() for name in together)


def test_a_goal_that_nobody_measured_is_in_the_table_all_the_same(program: Program) -> None:
    document = program("table").document({"cores": 2, "programs": {}})
    assert document.count("not measured") == len(program("goals").GOALS)


def test_a_goal_that_is_not_reached_says_what_holds_it_back(program: Program) -> None:
    verdict = program("goals").Verdict("3 failed", False, "the reason")
    found = {"on": "2026-01-02 03:04", "took_s": 60.0, "verdicts": {"swaps": verdict}, "tables": []}
    document = program("table").document({"cores": 2, "programs": {"swaps": found}})
    assert "| 3 failed | not reached: the reason | `swaps.py` | 2026-01-02 |" in document


def test_the_best_dedicated_server_is_the_best_of_its_form(program: Program) -> None:
    compared = {
        "foretell": server("Foretell", "one, 32", per_s=10_000),
        "bentoml": server("BentoML", "one, 32", per_s=400),
        "ray_serve": server("Ray Serve", "one, 32", per_s=900),
        "kserve_tuned": server("KServe, tuned", "one, 32", per_s=1_000),
        "mlflow": server("MLflow"),
    }
    verdicts = program("compared").verdicts_of(compared)
    assert verdicts["peers"].measured == "11.1× (10,000 against 900/s of Ray Serve)"  # noqa: RUF001  the sign for "times"
    assert not verdicts["peers"].is_reached
    assert "of KServe, tuned" in verdicts["peers_tuned"].measured


def test_a_goal_against_a_server_that_did_not_run_is_not_judged(program: Program) -> None:
    verdicts = program("compared").verdicts_of({"foretell": server("Foretell", "one, 32")})
    assert set(verdicts) == {"cpu"}


def test_cpu_is_told_by_process(program: Program) -> None:
    compared = {"foretell": server("Foretell", "one, 32", cpu_us=100.0)}
    (split, *_) = [part for part in program("table").comparison(compared) if "| web |" in part]
    assert "| One row, 32 connections | 50 + 25 | 25 + 0 | 0 + 0 | 0 + 0 | 75 + 25 |" in split
