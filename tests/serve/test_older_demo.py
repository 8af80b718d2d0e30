"""A demo company that an older version made is brought up to date at the start: the file is our own."""

from __future__ import annotations

from pathlib import Path

import pytest
from shops import execute

from data import integrity
from data.access import Actor, Door, Role
from data.database import attach
from data.demo import Size, build, ensure_demo
from data.engines import make_engine
from data.errors import NotMigrated
from data.settings import DEMO_FILE, File, Settings

SMALL = Size(customers=40, orders=400, months=6)
ADMIN = Actor("test:admin", Role.ADMIN, Door.COMMAND)


def test_an_older_demo_is_migrated_once_and_keeps_its_history(tmp_path: Path) -> None:
    file = tmp_path / "demo.sqlite"
    settings = Settings(**dict(File.model_validate(DEMO_FILE)), database_url=f"sqlite:///{file}", is_demo=True)
    build.make_file(settings, SMALL, revenue_index=True)
    engine = make_engine(settings.url)
    execute(engine, "DROP TABLE evenbooks_sign_outs", "DROP TABLE evenbooks_tokens")
    execute(engine, "UPDATE evenbooks_version SET version_num = '0002'")
    with pytest.raises(NotMigrated):
        attach(settings, engine=engine)
    engine.dispose()
    said: list[str] = []
    ensure_demo(settings, said.append)
    ensure_demo(settings, said.append)
    assert said == ["The demo company was made by an older version; it is up to date now."]
    database = attach(settings)
    assert integrity.run_and_record(database, actor=ADMIN).even
    database.engine.dispose()


def test_a_demo_that_cannot_be_read_is_left_for_the_page_to_tell(tmp_path: Path) -> None:
    file = tmp_path / "demo.sqlite"
    file.write_text("not a database, but long enough to be taken for one" * 40)
    before = file.read_bytes()
    ensure_demo(Settings(database_url=f"sqlite:///{file}", is_demo=True), pytest.fail)
    assert file.read_bytes() == before
