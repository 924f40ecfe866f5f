from foretell.errors import ForetellError


class CannotPush(ForetellError):
    """What was handed over, or a file that was named, cannot be pushed."""

    code = "invalid"


class MissingExtra(ForetellError):
    """Converting a model needs packages that the base install does not have."""

    code = "missing_extra"

    def __init__(self, package: str) -> None:
        super().__init__(
            f"Converting a model needs the package {package!r}. Install what converting takes: pip install 'foretell[sklearn]'.",
            package=package,
        )
