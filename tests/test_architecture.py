"""The rules of the tree: who may import whom, where statements are built, and where the environment is read."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
OURS = ("data", "ui", "pages", "web", "tests", "bench", "docs", "sql", ".ci")
FILES = sorted(
    path
    for path in [*ROOT.glob("*.py"), *(f for folder in OURS for f in (ROOT / folder).rglob("*.py"))]
    if ".venv" not in path.parts
)
NAMES = [path.relative_to(ROOT).as_posix() for path in FILES]
WEB = {
    "streamlit",
    "fastapi",
    "starlette",
    "uvicorn",
    "ui",
    "web",
    "pages",
    "api",
    "serve",
    "dashboard",
    "pandas",
    "plotly",
}
SQLALCHEMY = ("data/", "sql/migrations/", "run_customer_soft_delete_migration.py", "tests/", "bench/")
BUILDERS = (
    "data/queries/",
    "data/schema.py",
    "data/reflection.py",
    "data/inspection/",
    "data/guard.py",
    "data/database.py",
    "data/engines.py",
    "data/hosts.py",
    "data/money.py",
    "data/migration",
    "data/detection/",
    "data/sql/",
    "data/demo",
)
ATTEMPTS = "data/queries/rights.py"
STATEMENTS = {"select", "insert", "update", "delete", "text", "union_all", "exists"}


def tree(name: str) -> ast.Module:
    return ast.parse((ROOT / name).read_text(encoding="utf-8"))


def imports(name: str) -> set[str]:
    """Every module that a file imports, whole, also inside functions."""
    found: set[str] = set()
    for node in ast.walk(tree(name)):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{name} imports relatively"
            found |= {str(node.module), *(f"{node.module}.{alias.name}" for alias in node.names)}
    return found


def tops(name: str) -> set[str]:
    return {module.split(".")[0] for module in imports(name)}


def within(*folders: str) -> list[str]:
    found = [name for name in NAMES if name.startswith(folders)]
    assert found, folders
    return found


def test_the_rules_look_at_files() -> None:
    assert {"data/schema.py", "data/reflection.py", "data/queries/revenue.py", "tests/conftest.py"} <= set(NAMES)


@pytest.mark.parametrize("name", [n for n in NAMES if n.startswith("data/")])
def test_data_imports_nothing_of_the_screen_or_the_api(name: str) -> None:
    assert tops(name) & WEB == set()


@pytest.mark.parametrize(
    "name", [n for n in NAMES if n.startswith(("ui/", "pages/", "web/", "dashboard", "api", "serve"))]
)
def test_the_upper_floors_import_only_downwards(name: str) -> None:
    forbidden = {
        "ui/": {"pages", "api", "web", "serve", "dashboard"},
        "pages/": {"pages", "api", "web", "serve", "dashboard"},
        "web/": {"streamlit", "ui", "pages", "api", "serve", "dashboard"},
        "dashboard.py": {"pages", "api", "web", "serve"},
        "api.py": {"streamlit", "ui", "pages", "dashboard", "serve"},
        "serve.py": {"pages", "dashboard"},  # it warms up the imports of ui
    }
    rule = next(rule for start, rule in forbidden.items() if name.startswith(start))
    assert tops(name) & rule == set()


@pytest.mark.parametrize("name", [n for n in NAMES if not n.startswith(SQLALCHEMY)])
def test_sqlalchemy_stays_where_the_database_is(name: str) -> None:
    assert tops(name) & {"sqlalchemy", "alembic", "pymysql", "sqlite3"} == set()


@pytest.mark.parametrize("name", [n for n in NAMES if not n.startswith(("tests/", "bench/", "docs/", ".ci/"))])
def test_only_the_settings_read_the_environment(name: str) -> None:
    if name == "data/settings.py":
        return
    for node in ast.walk(tree(name)):
        if isinstance(node, ast.Attribute):
            assert node.attr not in {"environ", "getenv"}, f"line {node.lineno}"


@pytest.mark.parametrize("name", [n for n in NAMES if n.startswith("data/") and not n.startswith(BUILDERS)])
def test_only_the_query_module_builds_statements(name: str) -> None:
    built = {f"sqlalchemy.{word}" for word in STATEMENTS}
    assert imports(name) & built == set()
    for node in ast.walk(tree(name)):
        called = node.func.attr if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) else ""
        assert called not in {"execute", "exec_driver_sql", "scalars"}, f"line {getattr(node, 'lineno', 0)}"


def functions(name: str) -> Iterator[ast.FunctionDef | ast.ClassDef]:
    """The public functions, classes and methods of a module."""
    bodies: list[list[ast.stmt]] = [tree(name).body]
    for body in bodies:
        for node in body:
            if isinstance(node, ast.FunctionDef | ast.ClassDef) and not node.name.startswith("_"):
                yield node
                if isinstance(node, ast.ClassDef):
                    bodies.append(node.body)


@pytest.mark.parametrize("name", [n for n in NAMES if n.startswith("data/")])
def test_every_public_function_says_what_it_does(name: str) -> None:
    assert ast.get_docstring(tree(name)), "the module says nothing"
    silent = [node.name for node in functions(name) if not ast.get_docstring(node)]
    assert silent == []


@pytest.mark.parametrize("name", [n for n in NAMES if n.startswith("data/") and n != "data/schema.py"])
def test_what_active_means_is_written_once(name: str) -> None:
    for node in ast.walk(tree(name)):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in {"is_", "is_not"}:
            assert "deleted_at" not in ast.unparse(node.func.value), f"line {node.lineno}"
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            words = " ".join(node.value.lower().split())
            assert "deleted_at is null" not in words, f"line {node.lineno}"
            assert "deleted_at is not null" not in words, f"line {node.lineno}"


@pytest.mark.parametrize("name", [n for n in NAMES if n.startswith("data/") and "migration" not in n])
def test_nothing_is_physically_deleted(name: str) -> None:
    if name != ATTEMPTS:  # its statements find no row: tests/test_structure_checks.py
        assert "sqlalchemy.delete" not in imports(name)
    for node in ast.walk(tree(name)):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            assert not node.value.upper().lstrip().startswith(("DELETE FROM", "TRUNCATE", "REPLACE INTO")), node.lineno


def test_every_module_of_data_can_be_the_first_to_be_imported() -> None:
    modules = sorted({n[:-3].replace("/", ".").removesuffix(".__init__") for n in within("data/")})
    # Who imports a part of a package begins with the package: what came with that has been the first as well.
    alone = (
        "import importlib, sys\n"
        "came = set()\n"
        "for name in sys.argv[1:]:\n"
        "    if name not in came:\n"
        "        [sys.modules.pop(m) for m in list(sys.modules) if m == 'data' or m.startswith('data.')]\n"
        "        importlib.import_module(name)\n"
        "        came |= {m for m in sys.modules if m.startswith(name + '.')}\n"
    )
    names = [name for name in modules if not name.endswith("__main__")]
    done = subprocess.run([sys.executable, "-c", alone, *names], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
