"""The `foretell` command. Words go to stderr, results to stdout; every error is a sentence and an exit code."""


def main() -> None:
    """Run the command line."""
    from foretell.cli.app import run

    run()
