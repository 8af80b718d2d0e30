"""The notebook, run as an analyst runs it; it must stop where the books are not even."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbclient import NotebookClient
from shops import execute, make_shop, settings_for

from data import demo
from data.database import Database
from data.settings import ROOT

NOTEBOOK = ROOT / "notebooks" / "revenue_integrity.ipynb"


@pytest.fixture
def at(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[[str], Any]:
    """Sets the environment to a database, and answers the notebook."""
    (tmp_path / "evenbooks.toml").write_text("")
    monkeypatch.setenv("EVENBOOKS_CONFIG", str(tmp_path / "evenbooks.toml"))
    monkeypatch.chdir(NOTEBOOK.parent)

    def read(url: str) -> Any:
        monkeypatch.setenv("DATABASE_URL", url)
        return nbformat.read(NOTEBOOK, as_version=4)

    return read


def code_of(notebook: Any) -> str:
    """Every cell of code, as one program: a kernel of its own takes seconds to start."""
    return "\n".join(cell.source for cell in notebook.cells if cell.cell_type == "code")


def test_it_is_kept_without_what_it_showed() -> None:
    cells: list[Any] = nbformat.read(NOTEBOOK, as_version=4).cells
    code = [cell for cell in cells if cell.cell_type == "code"]
    assert [(cell.outputs, cell.execution_count) for cell in code] == [([], None)] * len(code)


def test_on_the_demo_company_in_a_kernel(at: Callable[[str], Any], tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/demo.sqlite"
    demo.make(settings_for(url), demo.Size(customers=80, orders=900, months=24))
    notebook = at(url)
    NotebookClient(notebook, timeout=120, resources={"metadata": {"path": str(NOTEBOOK.parent)}}).execute()
    outputs = [output for cell in notebook.cells for output in cell.get("outputs", [])]
    told = "\n".join(output.get("text") or str(output["data"]) for output in outputs)
    assert "The books are even." in told
    assert re.search(r"900 orders, 24 months and currencies: .* = total, to the last digit", told)
    assert "application/vnd.plotly" in told


@pytest.mark.parametrize("engine_name", ["mariadb"], indirect=True)
def test_on_a_shop_of_every_kind_of_order_and_not_past_a_change_behind_its_back(
    at: Callable[[str], Any], shop: Database, empty_url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    program = code_of(at(empty_url))
    exec(program, {})
    told = capsys.readouterr().out
    assert "10 orders, 4 months and currencies" in told
    assert "EUR 254.57 in all; 100.00 of it would be gone." in told
    execute(shop.engine, "UPDATE customers SET deleted_at = '2024-01-01 00:00:00' WHERE id = 2")
    with pytest.raises(AssertionError, match="The books are not even: Customers deleted or restored behind"):
        exec(program, {})


def test_what_pandas_finds_elsewhere_stops_it(at: Callable[[str], Any], tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/shop.sqlite"
    make_shop(url).engine.dispose()
    program = code_of(at(url))
    tampered = program.replace('"missing_customer"\njoined', '"active"\njoined')
    assert tampered != program
    with pytest.raises(AssertionError, match=r"The books are not even: .*'missing_customer'"):
        exec(tampered, {})
