"""`make clients`: clients that are too heavy for every change, each in an environment of its own below build/clients.

python tests/clients/environments.py [NAME ...]. Installs the pinned client, and runs its script against a gateway in this
process. A client whose interpreter is not on this machine is told and left out.
"""

import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT / "tests"))

from solvent import Exchange  # noqa: E402
from support.clients import converse  # noqa: E402
from support.gateways import NAME, quoted, venue  # noqa: E402

BUILD = ROOT / "build/clients"
KEYS = {"key": ("secret", "phrase")}
CLIENTS = {  # name: interpreter, what is installed, the script
    "okx-api": ("node", ["okx-api@3.2.3"], "okx_api.mjs"),
    "vnpy_okx": ("python3", ["vnpy_okx==2026.6.10", "vnpy==4.5.0"], "vnpy_bot.py"),
    "freqtrade": ("python3", ["freqtrade==2026.9"], "freqtrade_bot.py"),
    "nautilus": ("python3.12", ["nautilus_trader==1.231.0"], "nautilus_bot.py"),
}  # fmt: skip


def market(name: str) -> Exchange | None:
    """Returns the exchange for a client; None for the usual one. A bot wants bars of the last minutes."""
    if name != "freqtrade":
        return None
    exchange = quoted()
    now = time.time_ns()
    for minute in range(10, 0, -1):
        exchange.advance(now - minute * 60 * 10**9)
        exchange.set_last(NAME, 50_000 + minute)
    return exchange


def interpreter_of(name: str) -> str | None:
    """Returns the path of a client's interpreter; None if there is none that runs."""
    wanted = CLIENTS[name][0]
    found = [shutil.which(wanted), *sorted(map(str, Path.home().glob(f".pyenv/versions/{wanted[6:]}*/bin/{wanted}")))]
    for path in filter(None, found):  # a name on the path may be a shim of something that is not chosen
        if subprocess.run([path, "--version"], capture_output=True, check=False).returncode == 0:
            return path
    return None


def installed(name: str, interpreter: str) -> list[str]:
    """Returns the command that runs a client's interpreter, after installing the client once."""
    kind, packages, script = CLIENTS[name]
    home, done = BUILD / name, BUILD / name / "installed"
    home.mkdir(parents=True, exist_ok=True)
    if kind == "node":
        if not done.exists():
            subprocess.run(["npm", "install", "--silent", "--prefix", str(home), *packages], check=True)
        shutil.copy(ROOT / "tests/clients" / script, home / script)  # imports are looked up from where the script is
        command = [interpreter, str(home / script)]
    else:
        if not done.exists():
            subprocess.run([interpreter, "-m", "venv", str(home)], check=True)
            subprocess.run([str(home / "bin/pip"), "install", "--quiet", *packages], check=True)
        command = [str(home / "bin/python"), "-W", "ignore", str(ROOT / "tests/clients" / script)]
    done.touch()
    return command


def main(names: list[str]) -> int:
    failed = []
    for name in names or CLIENTS:
        interpreter = interpreter_of(name)
        if interpreter is None:
            print(f"{name}: left out, there is no {CLIENTS[name][0]} here")
            continue
        try:
            command = installed(name, interpreter)
            terms = {"time": "real"} if name == "freqtrade" else {"keys": KEYS}  # a bot looks at the age of bars
            with venue(market(name), **terms) as (gateway, _):
                converse(gateway, command, os.environ | {"SOLVENT_BUILD_CLIENT": str(BUILD / name)})
            print(f"{name}: trades")
        except (AssertionError, subprocess.CalledProcessError) as error:
            print(f"{name}: FAILED\n{error}")
            failed.append(name)
    return bool(failed)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
