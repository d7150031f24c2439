"""`solvent serve`: a local venue with a market on it, until it is stopped.

Owns the arguments, the exchange that is made from them, the loop that lets the market go on, and the lines for clients.
"""

import argparse
import json
import secrets
import tempfile
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

from solvent.schema.codes import InputError

if TYPE_CHECKING:
    from solvent.gateway import Gateway
    from solvent.lab.market.driver import Driver

__all__ = ["COMMANDS", "add"]

_STEP_S = 0.25
NAME = "BTC-USDT-SWAP"


def add(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Adds the command to a command line."""
    serve = commands.add_parser(
        "serve", help="a local venue that clients of OKX trade on",
        description="Serves an exchange as OKX V5 on this machine, with a market that follows a scenario. Ends with Ctrl-C.",
    )  # fmt: skip
    serve.add_argument("--host", default="127.0.0.1", help="the address to listen at (default 127.0.0.1)")
    serve.add_argument("--port", type=int, default=8642, help="the port; 0 takes a free one (default 8642)")
    serve.add_argument(
        "--scenario", default="quiet", help="the price path: quiet, flash_crash, ftx, ... or a CSV file of bars"
    )
    serve.add_argument("--rules", default="okx_consistent", help="rule set (`solvent rules list`; default okx_consistent)")
    serve.add_argument("--time", default="real", choices=("real", "simulated"), help="whose clock it is (default real)")
    serve.add_argument("--deposit", default="10000", help="what an unknown key finds in its account, in USDT (default 10000)")
    serve.add_argument("--key", action="append", default=[], metavar="KEY:SECRET:PASS", help="only such keys may enter")
    serve.add_argument("--window", type=int, default=0, help="seconds that a request's time may be off; 0: any (default 0)")
    serve.add_argument("--journal", metavar="PATH", help="keep the log in this directory, and go on from it")
    serve.add_argument("--tls", metavar="DIR", nargs="?", const="", help="speak TLS with a local authority, kept in DIR")
    serve.add_argument("--seconds", type=int, default=0, help=argparse.SUPPRESS)


def keys_of(told: list[str]) -> dict[str, tuple[str, str]]:
    """Returns secret and passphrase by key. Raises InputError.

    >>> keys_of(["alice:secret:phrase"])
    {'alice': ('secret', 'phrase')}
    """
    found = {}
    for each in told:
        parts = each.split(":")
        if len(parts) != 3 or not all(parts):
            raise InputError("--key is KEY:SECRET:PASS, three parts that are not empty")
        found[parts[0]] = parts[1], parts[2]
    return found


def _exchange(args: argparse.Namespace) -> tuple[Any, Any]:
    """Returns the exchange and the scenario."""
    from solvent.api.exchange import Exchange
    from solvent.lab.market import paths
    from solvent.store import opening
    from solvent.terms.instrument import Instrument

    scenario = paths.find(args.scenario)
    contract = Instrument(NAME, tick=scenario.tick, contract_size=scenario.contract_size, lot="0.01", settle_decimals=8)
    if args.journal is not None:
        return opening.open(args.journal, [contract], rules=args.rules, retain=False), scenario
    return Exchange([contract], rules=args.rules, retain=False), scenario


def ready(gateway: "Gateway", token: str, root: Path | None) -> str:
    """Returns the lines for clients."""
    rest, ws = gateway.url, gateway.ws_url
    bot = {"exchange": {"name": "okx", "ccxt_config": {"urls": {"api": {"rest": rest, "ws": ws}}}}}
    lines = [
        f"solvent serves {NAME} at {rest} (sockets at {ws}). Ctrl-C ends it.",
        f"  control     curl -H 'X-Solvent-Token: {token}' -d '{{\"px\": \"49000\"}}' {rest}/control/mark",
        "  ccxt        ccxt.okx({'apiKey': 'me', 'secret': 's', 'password': 'p', 'enableRateLimit': False,",
        f"                'urls': {{'api': {{'rest': '{rest}', 'ws': '{ws}'}}}}}})",
        "  freqtrade   " + json.dumps(bot),
        f"  python-okx  TradeAPI('me', 's', 'p', False, '0', '{rest}')",
    ]
    if root is not None:
        from solvent.gateway.tls import VARIABLES

        lines.append("  TLS         " + " ".join(f"export {name}={root};" for name in VARIABLES))
    return "\n".join(lines)


def _serve(args: argparse.Namespace) -> int:
    from solvent.app.control import Control
    from solvent.gateway import Gateway
    from solvent.lab.market.driver import Driver

    if not 0 <= args.port < 65536:
        raise InputError(f"--port {args.port} is not from 0 to 65535")
    exchange, scenario = _exchange(args)
    context, root = None, None
    if args.tls is not None:
        from solvent.gateway.tls import local_authority

        context, root = local_authority(Path(args.tls or tempfile.mkdtemp(prefix="solvent-tls-")), args.host)
    token = secrets.token_urlsafe(16)
    with exchange, Gateway(
        exchange, host=args.host, port=args.port, time=args.time, deposit=args.deposit, keys=keys_of(args.key),
        clock_window_s=args.window, tls=context,
    ) as gateway:  # fmt: skip
        driver: Driver = gateway.do(lambda raw: Driver(raw, scenario))
        gateway.control = Control(gateway, driver, token).answer
        print(ready(gateway, token, root), flush=True)
        _go_on(gateway, driver, args.seconds)
    return 0


def _go_on(gateway: "Gateway", driver: "Driver", seconds: int) -> None:
    """Lets the market go along with real time until somebody stops the process, or for so many seconds."""
    stopped, left = threading.Event(), seconds / _STEP_S if seconds else float("inf")
    while left > 0 and not stopped.wait(_STEP_S):
        left -= 1
        if gateway.real:
            gateway.do(lambda raw: driver.follow(raw.time_ns))


COMMANDS = {"serve": _serve}
