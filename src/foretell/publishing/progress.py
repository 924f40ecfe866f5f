"""Tells the author how a push goes on: bars on a terminal, a line for each fact, all of it on stderr."""

from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, Progress, SpinnerColumn, TaskID, TextColumn, TimeElapsedColumn


class Reporter:
    """Shows what goes on; says nothing at all when it is told to be quiet."""

    def __init__(self, *, is_quiet: bool = False, console: Console | None = None) -> None:
        self._console = console or Console(stderr=True, highlight=False, quiet=is_quiet)
        self._bars: Progress | None = None
        self._upload: TaskID | None = None

    def say(self, message: str) -> None:
        self._console.print(escape(message), soft_wrap=True)

    def warn(self, message: str) -> None:
        self._console.print(f"[yellow]note:[/] {escape(message)}", soft_wrap=True)

    @contextmanager
    def bars(self) -> Iterator[None]:
        """Keep the bars on the screen while the block runs, where there is a terminal to show them."""
        if not self._console.is_terminal:
            yield
            return
        bars = Progress(
            SpinnerColumn(finished_text="[green]✓[/]"),
            TextColumn("{task.description}"),
            BarColumn(bar_width=30),
            TextColumn("{task.fields[detail]}"),
            TimeElapsedColumn(),
            console=self._console,
            transient=False,
        )
        with bars:
            self._bars = bars
            try:
                yield
            finally:
                self._bars = None

    @contextmanager
    def step(self, name: str) -> Iterator[None]:
        """Show a bar without an end while the block runs."""
        if self._bars is None:
            yield
            return
        task = self._bars.add_task(name, total=None, detail="")
        yield
        self._bars.update(task, total=1, completed=1)

    def uploaded(self, sent: int, total: int) -> None:
        if self._bars is None:
            return
        if self._upload is None:
            self._upload = self._bars.add_task("upload", total=total, detail="")
        self._bars.update(self._upload, completed=sent, detail=f"{_size(sent)} of {_size(total)}")


def _size(n_bytes: int) -> str:
    return f"{n_bytes / 1e6:.1f} MB" if n_bytes >= 1e6 else f"{n_bytes / 1e3:.1f} kB"
