"""A writer in a process of its own, to be killed: `python log_writer.py REPLICAS STREAM URL...` orders until it dies.

Orders carry the client ids 1, 2, 3, ... as singles and as batches. After each answer the process prints the last id of it.
"""

import sys

import numpy as np

import solvent
from solvent.records import CommandType, dtype
from solvent.replication import JetStream

SWAP = "BTC-USDT-SWAP"
BATCH = 500


def main() -> None:
    replicas, stream, *urls = sys.argv[1:]
    ex = solvent.open(JetStream(urls, stream, replicas=int(replicas)), [solvent.Instrument(SWAP)], retain=False)
    if ex.command_count == 0:
        ex.deposit("amy", "USDT", 1_000_000)
        ex.mark(SWAP, 50_000)
    last = max(0, ex.command_count - 3)  # an account, a deposit and a mark came first
    orders = np.zeros(BATCH, dtype("command"))
    orders["type"], orders["records"], orders["account"] = CommandType.ORDER, 1, 16
    orders["price_ticks"], orders["size_lots"], orders["tif"] = 499_990, 1, 1  # they meet nobody, and do not rest
    print("ready", flush=True)
    while True:
        for _ in range(20):
            last += 1
            ex.order("amy", SWAP, "buy", 1, price=49_999, tif="ioc", client_id=last)
            print(last, flush=True)
        orders["client_id"] = range(last + 1, last + 1 + BATCH)
        ex.run(orders)
        last += BATCH
        print(last, flush=True)


if __name__ == "__main__":
    main()
