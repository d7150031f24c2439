"""Every short sequence of a small vocabulary: nothing is left to chance (layer 5).

Owns the vocabulary: two accounts and the house, two prices a side, two sizes, marks, funding and money. A sequence is a
number in the base of the vocabulary. All that begin alike share the commands of their beginning: of a core that copies
nothing, each sequence is played on its own. Both kernels for the short ones; after every last command all invariants.
"""

from collections import Counter
from itertools import product

import solvent
import solvent.reference
from solvent import Instrument, Tier
from solvent.auditor import Auditor
from solvent.records import CommandType, Flag, Tif, command, decode

C = CommandType
TERMS = {"contract_size": 1, "tick": 1, "maker_fee": "0.0002", "taker_fee": "0.0005", "max_price": 1_000, "max_size": 8}
MARK = 100


def vocabulary() -> list[bytes]:
    """24 commands, most of which can be answered with OK after some other one."""
    found = []
    for account, side, price in product((16, 17), (0, 1), (98, 102)):
        found.append(command(C.ORDER, account=account, side=side, price_ticks=price, size_lots=2))
    for account, side in product((16, 17), (0, 1)):
        found.append(command(C.ORDER, account=account, side=side, size_lots=1, flags=Flag.MARKET, tif=Tif.IOC))
    reduce = {"flags": Flag.REDUCE_ONLY, "size_lots": 1}
    found += [command(C.ORDER, account=16, side=side, price_ticks=100, **reduce) for side in (0, 1)]
    found += [command(C.MASS_CANCEL, account=account, instrument=0, side=2) for account in (16, 17)]
    found += [command(C.MARK, price_ticks=price) for price in (60, 99, 140)]
    found += [command(C.WITHDRAW, account=17, amount=20 * 10**6), command(C.DEPOSIT, account=17, amount=10**6)]
    found.append(command(C.SET_LEVERAGE, account=17, amount=2, mode=0))
    found.append(command(C.FUNDING, amount=5_000_000, order_id=1))
    found.append(command(C.AMEND, account=16, order_id=1 << 24, size_lots=1))
    return found


WORDS = vocabulary()
assert len(set(WORDS)) == 24


def opened(base):
    """Two accounts with little money, a mark, a fund that one parcel exhausts; one account isolated, one cross."""
    ex = base([Instrument("I", tiers=[Tier(4, "0.05", "0.1"), Tier(8, "0.1", "0.2")], **TERMS)], retain=True)
    for name in "ab":
        ex.deposit(name, "USDT", 60)
    ex.mark("I", MARK)
    ex.seed_fund("USDT", 1)
    ex.set_leverage("a", "I", 10, mode="isolated")
    return ex


def sequence(number: int, length: int) -> list[bytes]:
    """The commands of a number, the first command in its lowest digit."""
    found = []
    for _ in range(length):
        number, digit = divmod(number, len(WORDS))
        found.append(WORDS[digit])
    return found


def play(number: int, length: int, both: bool) -> int:
    """One sequence; the auditor follows the core, and the readable kernel says the same. Returns the events that were said."""
    commands = sequence(number, length)
    ex = opened(solvent.Exchange)
    kernel, auditor = ex._kernel, Auditor(ex)
    begin = kernel.next_seq
    kernel.run(memoryview(b"".join(commands)))
    told = bytes(kernel.view(1, kernel.next_seq))
    auditor.follow(decode(told))
    auditor.check_safety()
    auditor.compare(ex)
    ex.check()
    if both:
        twin = opened(solvent.reference.Exchange)
        twin._kernel.run(memoryview(b"".join(commands)))
        same = bytes(twin._kernel.view(1, twin._kernel.next_seq)) == told and twin.digest() == ex.digest()
        assert same, f"exhaustive: sequence {number} of length {length}: the kernels differ"
    return kernel.next_seq - begin


BLOCK = 1_000


def block(seed: int, length: int = 4, both: bool = True) -> Counter[str]:
    """A thousand sequences; seeds from 0 to COUNT - 1 are all of them."""
    count = Counter()
    for number in range(seed * BLOCK, min((seed + 1) * BLOCK, len(WORDS) ** length)):
        count.update(sequences=1, commands=length, events=play(number, length, both))
    return count
