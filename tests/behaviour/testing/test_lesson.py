"""The page "test your bot against a crash", done as it says: its files written, its commands run, its output seen."""

import os
import re
import subprocess
import sys

import pytest

from support.places import ROOT

pytest.importorskip("ccxt", reason="ccxt is absent (extra `dev`)")
PAGE = ROOT / "docs/howto/test-your-bot.md"
BLOCK = re.compile(r"```(?:\{code-block\} python\n:caption: (.*?)|text)\n(.*?)```", re.DOTALL)


@pytest.mark.long
def test_the_page_can_be_followed(tmp_path):
    env = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
    env |= {"PYTHONPATH": str(ROOT / "engine"), "PYTHONDONTWRITEBYTECODE": "1"}
    runs = 0
    for caption, text in BLOCK.findall(PAGE.read_text()):
        if caption.startswith("more of "):
            path = tmp_path / caption.removeprefix("more of ")
            path.write_text(path.read_text() + "\n\n" + text)
        elif caption:
            (tmp_path / caption).write_text(text)
        else:
            command, *lines = text.splitlines()
            terms = command.removeprefix("$ pytest").split()
            extra = ["-p", "pytest_solvent", "-p", "no:cacheprovider", "--basetemp", str(tmp_path / "t")]
            done = subprocess.run(
                [sys.executable, "-m", "pytest", *extra, *terms], cwd=tmp_path, env=env, capture_output=True, text=True,
                check=False,
            )  # fmt: skip
            runs += 1
            assert not [line for line in lines if line not in done.stdout], done.stdout
            assert done.returncode == int("failed" in lines[-1])
    assert runs == 5
