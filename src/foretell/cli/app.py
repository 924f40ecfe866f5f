"""Puts the commands together, and turns what was raised into words and an exit code."""

import sys
from typing import Annotated

import typer

from foretell import env
from foretell.cli import client_commands, server
from foretell.cli.output import say
from foretell.errors import ForetellError

# 0 is success, and 2 is usage, which typer says itself.
EXIT_ERROR, EXIT_NOT_FOUND, EXIT_NOT_ALLOWED, EXIT_INVALID, EXIT_UNAVAILABLE = 1, 3, 4, 5, 6
EXIT_OF_KIND = {
    "not_found": EXIT_NOT_FOUND,
    "permission_denied": EXIT_NOT_ALLOWED,
    "not_authenticated": EXIT_NOT_ALLOWED,
    "invalid": EXIT_INVALID,
    "invalid_input": EXIT_INVALID,
    "unavailable": EXIT_UNAVAILABLE,
}


def build_app() -> typer.Typer:
    app = typer.Typer(
        name="foretell",
        help="Hand over a trained model; get a governed prediction service. Exit codes: 1 error, 2 usage, 3 not found, 4 not allowed, 5 invalid input, 6 unavailable.",
        no_args_is_help=True,
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    app.callback()(_global_options)
    client_commands.register(app)
    server.register(app)
    return app


def _show_version(wanted: bool) -> None:
    if wanted:
        import foretell

        sys.stdout.write(f"foretell {foretell.__version__}\n")
        raise typer.Exit


def _global_options(
    version: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Print the version and end.")
    ] = False,
) -> None:
    pass


def run() -> None:
    """Run the command line; Ctrl-C ends it without a traceback, and so does a reader that went away."""
    try:
        env.load_dotenv()
        build_app()()
    except ForetellError as err:
        say(f"[bold red]error:[/] {escaped(err.message)}")
        sys.exit(exit_code(err))
    except KeyboardInterrupt:
        sys.exit(130)
    except BrokenPipeError:
        sys.stderr.close()
        sys.exit(141)


def exit_code(err: ForetellError) -> int:
    return EXIT_OF_KIND.get(getattr(err, "kind", err.code), EXIT_ERROR)


def escaped(text: str) -> str:
    from rich.markup import escape

    return escape(text)
