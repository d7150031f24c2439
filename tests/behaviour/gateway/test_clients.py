"""Clients as they are, each in a process of its own, trade on the gateway. Their scripts are in tests/clients."""

import pytest

from solvent.gateway import Deed
from solvent.gateway.tls import VARIABLES, local_authority
from support.clients import run_client
from support.gateways import quoted, venue

pytestmark = pytest.mark.long
KEYS = {"key": ("secret", "phrase")}


@pytest.mark.parametrize("script", ["ccxt_sync.py", "okx_rest.py"])
def test_a_client_trades(script):
    """Signatures are checked, so a wrong one would end it."""
    with venue(keys=KEYS) as (gateway, _):
        run_client(gateway, script)


def test_ten_asynchronous_clients_trade_at_once():
    with venue() as (gateway, _):
        run_client(gateway, "ccxt_async.py")


class Breaking:
    """Hangs up at the next push, or swallows the next update of the book."""

    def __init__(self):
        self.todo = ""

    def before(self, client, request):
        return None

    def after(self, client, request, answer):
        return None

    def push(self, client, channel, message):
        wanted, self.todo = self.todo, self.todo and ""
        if wanted == "gap" and channel == "books":
            return Deed(copies=0)
        self.todo = wanted
        return None


def test_a_client_watches_through_a_dropped_connection_and_a_gap():
    faults = Breaking()
    with venue(keys=KEYS, faults=faults) as (gateway, _):
        gateway.asked = {"drop": gateway.hang_up, "gap": lambda: setattr(faults, "todo", "gap")}
        run_client(gateway, "ccxt_pro.py")


def test_a_client_that_speaks_only_tls_trusts_the_local_authority(tmp_path):
    context, root = local_authority(tmp_path)
    with venue(quoted(), keys=KEYS, tls=context) as (gateway, _):
        assert gateway.ws_url.startswith("wss://")
        run_client(gateway, "okx_ws.py", environment=dict.fromkeys(VARIABLES, str(root)))
