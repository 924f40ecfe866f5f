"""Nothing outlives a request without its tenant: caches, module state, files and connections are listed here, each with why it is safe.

Something new makes a test fail: give it the tenant, or list it with the reason.
"""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

SOURCE = Path(__file__).parents[1] / "src" / "foretell"
ROOMS = (
    "accounts",
    "admin",
    "audit",
    "config",
    "core",
    "gateway",
    "monitoring",
    "registry",
    "tenants",
    "web",
)  # those that have tenants
CACHES = {"cache", "lru_cache", "cached_property"}
MUTABLE = (ast.Dict, ast.List, ast.Set, ast.DictComp, ast.ListComp, ast.SetComp)
MAKERS = {
    "dict",
    "list",
    "set",
    "defaultdict",
    "deque",
    "Counter",
    "OrderedDict",
    "WeakKeyDictionary",
    "WeakValueDictionary",
}

#: Functions and names of modules that remember something, and why no tenant's is another's.
REMEMBERED = {
    "accounts/flows/headless/documented.py": {"_made": "of the code"},
    "accounts/flows/headless/specification.py": {"specification": "of allauth's package, and of the installation's settings"},
    "accounts/limiting.py": {
        "limiter": "one for the installation; each bucket's key has the tenant", "quotas": "counted by the tenant's id",
        "_policy": "of a name and a rate", "_warn_of_missing": "of a limit's name; nothing is told",
        "_ledgers": "functions", "_seeded": "by the tenant's id",
    },
    "accounts/passwords.py": {"_hashers": "threads of the process, which keep nothing between two hashes"},
    "accounts/tokens/custom_claims.py": {"_imported": "of the installation's setting"},
    "accounts/tokens/signing_keys.py": {"to_public_key": "of the key's own bytes"},
    "config/metrics.py": {"of_worker": "one for the process"},
    "core/database_backend/roles.py": {"statement_for": "of the schema and the role", "_found": "by server"},
    "core/poolers.py": {"_direct": "by server"},
    "gateway/entries.py": {"_same": "equal tuples of names are one object", "_open": "of names; what is open to all is the same for all"},
    "gateway/lane.py": {"gateway": "one for the process; its entries are by tenant"},
    "monitoring/copying.py": {"_columns": "of its arguments, which it only writes as bytes"},
    "monitoring/tallies.py": {"_hour": "of a number"},
    "monitoring/statements.py": {"statements_for": "of the schema"},
    "monitoring/storing.py": {"_statements": "of the schema"},
    "tenants/limits.py": {"_parsed": "of a rate's text"},
    "tenants/schemas.py": {"known_migrations": "of the code"},
}  # fmt: skip

#: Who opens connections beside Django's, which follow no tenant, and how they keep to theirs.
CONNECTING = {
    "core/database_backend/roles.py": "asks the server about roles and schemas",
    "core/poolers.py": "looks for a pooler; reads no table",
    "gateway/listening.py": "hears schema names, and reads their numbers in public",
    "monitoring/connecting.py": "has an empty search path; each name is written with its schema",
}
#: Who knows places on the disk, and how tenants are apart there.
PLACES = {
    "admin/operators/health.py": "how full the disk is, and what of the installation's log waits",
    "accounts/limiting.py": "counters, by digests of the tenant's id",
    "audit/anchors.py": "where each chain ends, by the schema",
    "core/asgi_handler.py": "bodies on their way in, without a name",
    "core/exports/excel_files.py": "files without a name",
    "core/static_files.py": "what comes with the code",
    "config/deleting.py": "all that is a tenant's, to delete it",
    "config/metrics.py": "counters of the process",
    "config/prepare.py": "the demo's own file",
    "config/readiness.py": "whether it can be written to",
    "config/worker.py": "the installation's",
    "config/settings.py": "where they are said",
    "config/secret_key.py": "the installation's own",
    "config/asgi.py": "the installation's own",
    "gateway/lane.py": "the catalogue's directory; below it by tenant",
    "gateway/signed_files.py": "writes what it is told to, whole",
    "monitoring/draining_thread.py": "the log's directory; each record has its tenant",
    "registry/recording.py": "the log's directory; each record has its tenant",
    "registry/storage.py": "below the tenant's id",
    "tenants/archives/reading.py": "below the tenant's id",
    "tenants/archives/writing.py": "below the tenant's id",
    "tenants/deleting.py": "below the tenant's id",
}
PLACE = re.compile(r"settings\.[A-Z_]*(?:ROOT|HOME|_DIR)\b|\btempfile\.|default_storage|FileSystemStorage\(")


def modules() -> Iterator[tuple[str, str]]:
    for room in ROOMS:
        for path in sorted((SOURCE / room).rglob("*.py")):
            if "migrations" not in path.parts:
                yield str(path.relative_to(SOURCE)), path.read_text()


def remembering(source: str) -> set[str]:
    """Name what a module keeps for the length of its process: cached functions, and containers that are written to."""
    tree = ast.parse(source)
    kept = {
        node.name
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef) and any(map(_is_cache, node.decorator_list)) and not _is_method(tree, node)
    }
    for node in tree.body:
        targets = (
            node.targets if isinstance(node, ast.Assign) else [node.target] if isinstance(node, ast.AnnAssign) else []
        )
        value = getattr(node, "value", None)
        names = {target.id for target in targets if isinstance(target, ast.Name)}
        if value is not None and _is_cache(value):
            kept |= names
        if value is not None and _is_container(value):
            kept |= {name for name in names if _is_written_to(tree, name)}
    return kept


def _is_method(tree: ast.Module, function: ast.FunctionDef) -> bool:
    return any(isinstance(node, ast.ClassDef) and function in node.body for node in ast.walk(tree))


def _is_cache(node: ast.expr) -> bool:
    while isinstance(node, ast.Call):
        node = node.func
    return (node.id if isinstance(node, ast.Name) else node.attr if isinstance(node, ast.Attribute) else "") in CACHES


def _is_container(node: ast.expr) -> bool:
    called = node.func if isinstance(node, ast.Call) else None
    called = called.value if isinstance(called, ast.Subscript) else called
    return isinstance(node, MUTABLE) or (isinstance(called, ast.Name) and called.id in MAKERS)


def _is_written_to(tree: ast.Module, name: str) -> bool:
    for node in ast.walk(tree):
        if isinstance(node, ast.Subscript) and isinstance(node.ctx, ast.Store | ast.Del) and _named(node.value, name):
            return True
        if isinstance(node, ast.Attribute) and _named(node.value, name) and node.attr in {
            "add", "append", "appendleft", "update", "setdefault", "pop", "clear", "extend", "insert", "remove", "discard", "popitem",
        }:  # fmt: skip
            return True
        if isinstance(node, ast.AugAssign) and _named(node.target, name):
            return True
    return False


def _named(node: ast.expr, name: str) -> bool:
    return isinstance(node, ast.Name) and node.id == name


def test_what_modules_remember_knows_its_tenant() -> None:
    listed = {(module, name) for module, names in REMEMBERED.items() for name in names}
    found = {(module, name) for module, source in modules() for name in remembering(source)}

    assert not found - listed, "key these by the tenant, and say so in REMEMBERED"


def test_only_those_that_are_listed_connect_beside_django() -> None:
    found = {module for module, source in modules() if "psycopg.connect(" in source or "Connection.connect(" in source}

    assert found <= CONNECTING.keys(), (
        "these follow no tenant: go through Django's connection, or say in CONNECTING how they keep to theirs"
    )


def test_only_those_that_are_listed_know_places_on_the_disk() -> None:
    found = {module for module, source in modules() if PLACE.search(source)}

    assert found <= PLACES.keys(), "keep files with registry.storage, or say in PLACES how tenants are apart there"


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("from functools import cache\n@cache\ndef names(): ...", {"names"}),
        ("import functools\n@functools.lru_cache(maxsize=1)\ndef names(): ...", {"names"}),
        ("names = lru_cache(maxsize=2)(read)", {"names"}),
        ("seen = set()\ndef see(x):\n    seen.add(x)", {"seen"}),
        ("last: dict[str, int] = {}\ndef note(x):\n    last[x] = 1", {"last"}),
        (
            "from collections import defaultdict\nkept = defaultdict(list)\ndef f(x):\n    kept[x].append(1); kept.update({})",
            {"kept"},
        ),
        ("TABLE = {1: 2}\ndef f(x):\n    return TABLE[x]", set()),
    ],
)
def test_control_what_remembers_is_found(source: str, expected: set[str]) -> None:
    assert remembering(source) == expected


@pytest.mark.parametrize(
    "source", ["path = settings.ARTIFACT_ROOT / name", "tempfile.mkstemp()", "default_storage.save(name, file)"]
)
def test_control_a_place_is_found(source: str) -> None:
    assert PLACE.search(source)
