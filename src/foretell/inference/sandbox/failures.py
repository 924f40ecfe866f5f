"""How a failure travels from a locked child to its client, and what each way of ending means."""

import contextlib
import signal
from collections.abc import Iterator
from typing import Any

from foretell.errors import ForetellError, shortened
from foretell.inference import errors
from foretell.inference.errors import InputProblem, InvalidInput, JobCrashed, JobOutOfMemory, JobTimedOut, SandboxError
from foretell.inference.sandbox.limits import Limits
from foretell.inference.sandbox.protocol import Reply

EXIT_INCOMPLETE = 70
EXIT_OUT_OF_MEMORY = 71
MAX_PROBLEMS = 100
_MAX_DETAILS = 20


def describe(error: BaseException) -> dict[str, Any]:
    """Return what a child says about an error of its job."""
    if isinstance(error, InvalidInput):
        problems = [[problem.attr, problem.code, problem.detail] for problem in error.problems[:MAX_PROBLEMS]]
        return {"kind": InvalidInput.code, "message": error.message, "problems": problems}
    if isinstance(error, ForetellError):
        return {
            "kind": type(error).code,
            "code": error.code,
            "message": error.message,
            "details": _scalars(error.details),
        }
    return {"kind": None, "message": shortened(f"{type(error).__name__}: {error}")}


def revive(report: Any) -> ForetellError:
    """Return the error that a child's report stands for, cut and cleaned; anything odd becomes a JobCrashed."""
    if not isinstance(report, dict):
        return JobCrashed("The job failed without saying how.")
    message = _clean(report.get("message"))
    if report.get("kind") == InvalidInput.code:
        return InvalidInput(*_problems(report.get("problems")), message=message)
    kind = _REVIVABLE.get(str(report.get("kind")))
    if kind is None:
        return JobCrashed(f"The job failed: {message}")
    code = report.get("code")
    return kind(message, code=_clean(code)[:100] if isinstance(code, str) else None, **_scalars(report.get("details")))


def ending_error(ending: Reply | None, limits: Limits) -> SandboxError:
    """Say why a child ended without an answer."""
    if ending is None:
        return JobCrashed("The job and its sandbox ended together, without an answer.")
    if ending.killed == "wall":
        return JobTimedOut(f"The job was stopped after {limits.wall_s:g} s.", limit_s=limits.wall_s, clock="wall")
    is_killed = ending.signal == signal.SIGKILL
    if ending.signal == signal.SIGXCPU or (is_killed and ending.cpu_s >= limits.cpu_s):
        return JobTimedOut(
            f"The job used up its {limits.cpu_s} s of processor time.", limit_s=limits.cpu_s, clock="cpu"
        )
    if is_killed or ending.exit == EXIT_OUT_OF_MEMORY:
        return JobOutOfMemory(
            f"The job needs more memory than its {limits.memory_bytes >> 20:,} MiB, or than this machine has."
        )
    return JobCrashed(_crash(ending.signal, ending.exit))


def _crash(signal_number: int, exit_code: int) -> str:
    if signal_number == signal.SIGSYS:
        return "The job was stopped at a system call that the sandbox forbids."
    if signal_number:
        with contextlib.suppress(ValueError):
            return f"The job crashed with {signal.Signals(signal_number).name}."
    return f"The job ended early, with exit code {exit_code}, and without an answer."


def _scalars(details: Any) -> dict[str, Any]:
    """Keep JSON scalars under names that are safe as keyword arguments."""
    return dict(_safe_details(details)) if isinstance(details, dict) else {}


def _safe_details(details: dict[Any, Any]) -> Iterator[tuple[str, Any]]:
    for name, value in list(details.items())[:_MAX_DETAILS]:
        if not isinstance(name, str) or not name.isidentifier() or name in ("self", "message", "code"):
            continue
        if isinstance(value, str):
            yield name[:100], _clean(value)
        elif value is None or isinstance(value, bool | int | float):
            yield name[:100], value


def _problems(listed: Any) -> Iterator[InputProblem]:
    for entry in listed[:MAX_PROBLEMS] if isinstance(listed, list) else ():
        if isinstance(entry, list) and len(entry) == 3:
            yield InputProblem(*(_clean(part) for part in entry))


def _clean(text: Any) -> str:
    """Security: no control characters, so that a message can neither forge log lines nor drive a terminal."""
    if not isinstance(text, str):
        return "no message"
    return "".join(char if char.isprintable() or char == "\n" else " " for char in shortened(text))


def _family(base: type[ForetellError]) -> Iterator[type[ForetellError]]:
    yield base
    for child in base.__subclasses__():
        yield from _family(child)


# Security: a child cannot claim to be a failure of the sandbox itself, nor anything outside this family.
_REVIVABLE = {
    kind.code: kind
    for kind in _family(errors.InferenceError)
    if kind.__module__ == errors.__name__ and not issubclass(kind, SandboxError | InvalidInput)
}
