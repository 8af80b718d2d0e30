"""The migration as a command."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from migrating import MakeUrl, build, dump, is_ours

from data.settings import ROOT

pytestmark = pytest.mark.usefixtures("own_folder")
SCRIPT = ROOT / "run_customer_soft_delete_migration.py"


def command(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    clean = {k: v for k, v in os.environ.items() if not k.startswith(("DATABASE_", "EVENBOOKS_"))}
    return subprocess.run(
        [sys.executable, str(SCRIPT), *arguments],
        capture_output=True,
        text=True,
        env={**clean, **environment},
        check=False,
    )


def test_the_command(make_url: MakeUrl, tmp_path: Path) -> None:
    build(url := make_url())
    dry = command("--database-url", url, "--dry-run")
    assert (dry.returncode, dry.stderr) == (0, "")
    kind = "TIMESTAMP WITH TIME ZONE" if url.startswith("postgresql") else "TIMESTAMP"
    assert f"ALTER TABLE customers ADD COLUMN deleted_at {kind} NULL DEFAULT NULL" in dry.stdout
    assert not [name for name in dump(url) if is_ours(name)]
    done = command(DATABASE_URL=url)
    assert (done.returncode, done.stderr) == (0, "")
    assert "The books are even." in done.stdout
    undone = command("--undo", "--database-url", url)
    assert (undone.returncode, undone.stderr) == (0, "")
    assert not [name for name in dump(url) if is_ours(name)]
    assert len(list(tmp_path.glob("evenbooks-events-*Z.jsonl"))) == 1


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["--guards"], 2, "unrecognized arguments"),
        (["--undo", "--guard"], 2, "give one of the two"),
        (["--undo", "--revenue-index"], 2, "give one of the two"),
        (["--database-url", "sqlite:////nowhere/shop.db"], 1, "There is no database file /nowhere/shop.db."),
        (["--database-url", "oracle://me:secret-word@host/x"], 1, "names oracle"),
        (["--database-url", "mysql://me:secret-word@127.0.0.1:9/x"], 1, "does not answer"),
        (["--config", "nowhere.toml"], 1, "nowhere.toml: there is no such file"),
    ],
)
def test_the_command_says_what_is_wrong_in_a_sentence(arguments: list[str], code: int, words: str) -> None:
    result = command(*arguments)
    assert result.returncode == code
    assert words in result.stderr
    assert "Traceback" not in result.stderr
    assert "secret-word" not in result.stderr + result.stdout


def test_bad_sql_in_the_mapping_is_a_sentence(make_url: MakeUrl, tmp_path: Path) -> None:
    build(url := make_url())
    (tmp_path / "c.toml").write_text('[orders]\nwhere = "no_such_column = 1"\n')
    result = command("--config", str(tmp_path / "c.toml"), "--database-url", url)
    assert result.returncode == 1
    assert "no_such_column" in result.stderr
    assert "Traceback" not in result.stderr


def test_whoever_reads_along_may_go(make_url: MakeUrl) -> None:
    build(url := make_url())
    piped = f'"{sys.executable}" "{SCRIPT}" --database-url "{url}" | head -1; exit ${{PIPESTATUS[0]}}'
    done = subprocess.run(["bash", "-c", piped], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert "To do: nothing" in command("--database-url", url).stdout
