from __future__ import annotations

import shutil
import subprocess

import click
import pytest
from click.testing import CliRunner

from auditd.cli import main
from tests.packaging.conftest import ROOT

PAGE = ROOT / "deploy" / "wheel" / "share" / "man" / "man1" / "servicestage-auditd.1"


@pytest.fixture(scope="module")
def page() -> str:
    return CliRunner().invoke(main, ["man"], catch_exceptions=False).stdout


def test_the_page_that_is_shipped_is_the_one_that_is_printed(page: str) -> None:
    assert PAGE.read_text() == page, f"servicestage-auditd man > {PAGE.relative_to(ROOT)}"


def test_every_command_and_flag_is_in_it(page: str) -> None:
    def walk(command: click.Command, ctx: click.Context) -> None:
        if isinstance(command, click.Group):
            for name in command.list_commands(ctx):
                found = command.get_command(ctx, name)
                assert found
                walk(found, click.Context(found, info_name=name, parent=ctx))
            return
        assert f".SS {' '.join(ctx.command_path.split()[1:])}".replace("-", "\\-") in page
        for parameter in command.params:
            for flag in parameter.opts if isinstance(parameter, click.Option) else ():
                assert flag.replace("-", "\\-") in page

    walk(main, click.Context(main, info_name="servicestage-auditd"))


def test_its_language_is_without_fault() -> None:
    if not (mandoc := shutil.which("mandoc")):
        pytest.skip("there is no mandoc here; tests/tools/install brings it")
    done = subprocess.run(
        [mandoc, "-Tlint", "-Wall", PAGE], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout) == (0, "")
