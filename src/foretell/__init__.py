"""Foretell: hand over a trained model, get a governed prediction service.

`push` hands one over, `Client` and `AsyncClient` ask. Nothing is imported before it is used, so that ``import foretell``
costs next to nothing and needs neither numpy nor a web framework.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from foretell.client import AsyncClient, Client
    from foretell.errors import ForetellError
    from foretell.publishing import push

    __version__: str

__all__ = ["AsyncClient", "Client", "ForetellError", "__version__", "push"]

_HOMES = {
    "AsyncClient": "foretell.client",
    "Client": "foretell.client",
    "ForetellError": "foretell.errors",
    "push": "foretell.publishing",
}


def __getattr__(name: str) -> Any:
    from importlib import import_module, metadata

    if name == "__version__":
        value: Any = metadata.version("foretell")
    elif name in _HOMES:
        value = getattr(import_module(_HOMES[name]), name)
    elif name in ("client", "errors"):
        return import_module(f"foretell.{name}")
    else:
        raise AttributeError(f"module 'foretell' has no attribute {name!r}")
    globals()[name] = value  # Optimization: asked once
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
