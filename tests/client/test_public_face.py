"""What the package shows, and what importing it costs."""

import subprocess
import sys

import foretell
import foretell.client


def run(code: str) -> str:
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip()


def test_everything_exported_is_there_and_sorted() -> None:
    for module in (foretell, foretell.client):
        assert list(module.__all__) == sorted(module.__all__, key=str)
        assert all(hasattr(module, name) for name in module.__all__)


def test_private_modules_export_nothing_beside_the_package() -> None:
    public = {name for name in vars(foretell.client) if not name.startswith("_")}

    assert public == {name for name in foretell.client.__all__ if not name.startswith("_")}


def test_importing_foretell_takes_less_than_a_fifth_of_a_second() -> None:
    code = "import time; t = time.perf_counter(); import foretell; print(time.perf_counter() - t)"

    assert min(float(run(code)) for _ in range(3)) < 0.2


def test_importing_foretell_imports_neither_numpy_nor_httpx() -> None:
    assert run("import sys, foretell; print({'numpy', 'httpx', 'django'} & set(sys.modules))") == "set()"


def test_the_client_needs_nothing_of_the_server_and_no_numpy() -> None:
    code = "import sys, foretell.client; print(sorted(m for m in sys.modules if m.split('.')[0] in ('numpy', 'django', 'pandas')))"

    assert run(code) == "[]"


def test_an_unknown_name_is_an_attribute_error() -> None:
    assert run("import foretell; print(hasattr(foretell, 'nonsense'), foretell.__version__)").startswith("False 0.")
