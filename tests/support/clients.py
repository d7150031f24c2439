"""Runs a client of a gateway in a process of its own: a script of tests/clients, which trades, and asserts by itself.

A script prints lines that begin with "!" to ask for something that no client can do, and reads one line when it is done.
"""

import os
import subprocess
import sys

from support.gateways import NAME
from support.places import ROOT


def do(gateway, words):
    """Does what a script asks for: mark PRICE, last PRICE, fund RATE PERIOD, or rest SIDE SIZE PRICE for the maker."""
    kind, *rest = words
    ex = gateway.exchange
    if kind == "mark":
        ex.index(NAME, rest[0])
        ex.mark(NAME, rest[0])
    elif kind == "fund":
        ex.settle_funding(NAME, rest[0], period=int(rest[1]))
    elif kind == "last":
        ex.set_last(NAME, rest[0])
    elif kind == "rest":
        assert ex.order("maker", NAME, rest[0], rest[1], price=rest[2])
    elif kind == "advance":
        ex.advance(ex.time_ns + int(rest[0]) * 10**9)
    else:
        gateway.asked[kind](*rest)


def run_client(gateway, script, *arguments, environment=None):
    """Runs a Python script to its end; what it asserts must hold."""
    command = [sys.executable, "-W", "ignore", str(ROOT / "tests/clients" / script)]
    return converse(gateway, [*command, *arguments], os.environ | (environment or {}))


def converse(gateway, command, environment):
    """Runs a command, with the addresses of the gateway as its first arguments, to its end."""
    at = next(i for i, word in enumerate(command) if word.endswith((".py", ".mjs"))) + 1
    command = [*command[:at], gateway.url, gateway.ws_url, *command[at:]]
    pipe, told = subprocess.PIPE, []
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=pipe, text=True, env=environment) as process:
        for line in process.stdout:
            told.append(line)
            if line.startswith("!"):
                do(gateway, line[1:].split())
                process.stdin.write("done\n")
                process.stdin.flush()
        error = process.stderr.read()
        assert process.wait(timeout=60) == 0, "".join(told) + error
    return told
