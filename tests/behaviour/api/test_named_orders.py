"""Plain orders take a short way from names and decimals to the core: answers, events and errors are those of the long one."""

import itertools
from decimal import Decimal
from fractions import Fraction
from random import Random

import pytest

import solvent
from solvent import Instrument, Trigger

named = pytest.importorskip("solvent._core.named")
INSTRUMENTS = [
    Instrument("A", tick="0.1", contract_size="0.01"), Instrument("B", tick="0.25", contract_size=1), Instrument("C", tick=5),
]  # fmt: skip
ACCOUNTS = ["a", "b", "é", 16, 17, 18, 19, -1, 2**70, "nobody", "", "a\0", b"a", None, True, 1.0]
PRICES = [
    50_000, "50000", "49999.9", "50000.10", "0050000", Decimal("49999.75"), Decimal("5E4"), Decimal(50_000), "50000.25",
    "50005",
    "50000.05", 0, "0", "0.0", "-1", -5, "", ".", "5.", ".5", "1.2.3", "5e4", " 50000", "50_000", "٥", "nan", "inf",
    Decimal("NaN"), 2**62, 10**30, "9" * 18, "9" * 19, "9" * 40, "0." + "0" * 30 + "1", 50_000.0, True, None,
    Fraction(1, 3), [],
]  # fmt: skip
SIZES = [1, 3, "1", "2.0", Decimal(2), "0.5", 0, -1, "1.5", 10**12, True, 1.0, None, "x"]
WORDS = {
    "side": ["buy", "sell", "BUY", "Sell", "hold", None, 1],
    "tif": ["gtc", "ioc", "fok", "gtd", "GTC", "day", None],
    "post_only": [False, True, "slide", 0, 1, None],
    "reduce_only": [False, True, 0, None],
    "client_id": [0, 7, 2**63 - 1, 2**63, -1, "bid-1", True, None, 2**80],
    "instrument": ["A", "B", "C", "D", 0, 1, 3, None, [], b"A"],
}
OTHERS = {
    "close_position": [True, 0], "trigger": [Trigger.stop(49_000), 5], "expiry_ns": [9, None], "slippage": ["0.01", 1.0],
    "self_trade": ["allow", "no"], "self_trade_group": [5, False], "leg": ["long", "x"], "market": [True, 0],
    "display": [1, "x"], "all_or_none": [True, 1], "to_limit": [True, None], "levels": [1, 2], "tag": [7, -1],
}  # fmt: skip


class Pair:
    """Two exchanges of the same past: one takes the short way, the other has none."""

    def __init__(self, strict: bool = False):
        self.faces = [solvent.Exchange(INSTRUMENTS, seed=1, strict=strict) for _ in range(2)]
        assert self.faces[0]._quick is not None
        self.faces[1]._quick = None
        self.short = 0
        self.both(lambda ex: [ex.deposit(name, "USDT", 10**8) for name in ("a", "b", "é")])
        self.both(lambda ex: [ex.mark(each.name, 50_000) for each in INSTRUMENTS])
        quick = self.faces[0]._quick

        def counted(*terms):
            told = quick(*terms)
            self.short += told is not None
            return told

        self.faces[0]._quick = counted

    def both(self, call):
        """What a call answers or raises on both; they must agree."""
        told = []
        for ex in self.faces:
            try:
                ack = call(ex)
                found = repr(ack)
                if isinstance(ack, solvent.Ack):
                    found = (repr(ack), ack.seq, ack._end, ack._lot, [repr(each) for each in ack.events])
            except Exception as error:
                found = type(error), str(error), getattr(error, "code", None), getattr(error, "order_id", None)
            told.append(found)
        assert told[0] == told[1]
        return told[0]

    def same(self):
        first, second = self.faces
        assert first.digest() == second.digest() and first.events().tobytes() == second.events().tobytes()


@pytest.mark.parametrize("strict", [False, True])
def test_each_odd_value_alone(strict):
    pair, base = Pair(strict), {"account": "a", "instrument": "A", "side": "buy", "size": 1, "price": "49999.9"}
    values = {"account": ACCOUNTS, "price": PRICES, "size": SIZES, **WORDS, **OTHERS}
    for name, given in values.items():
        for value in given:
            pair.both(lambda ex, name=name, value=value: ex.order(**(base | {name: value})))
    pair.same()
    assert pair.short > 25


def test_prices_and_sizes_of_every_instrument():
    pair = Pair()
    for name, price, size in itertools.product(("A", "B", "C"), PRICES, SIZES):
        pair.both(lambda ex, name=name, price=price, size=size: ex.order("b", name, "sell", size, price=price))
    pair.same()


def test_drawn_orders(seed):
    """Mostly plain ones, which trade; now and then any value."""
    r, pair = Random(seed), Pair()
    for n in range(4_000):
        terms = {
            "account": r.choice(["a", "b", "é", 16, 17]), "instrument": r.choice("ABC"), "side": r.choice(["buy", "sell"]),
            "size": r.choice([1, "2", Decimal(3), 40]), "tif": r.choice(["gtc", "gtc", "ioc", "fok"]),
            "price": r.choice([str, Decimal, int])(50_000 + 5 * r.randrange(-6, 7)), "client_id": r.choice([0, 0, n + 1, 5]),
            "post_only": r.random() < 0.1, "reduce_only": r.random() < 0.1,
        }  # fmt: skip
        if r.random() < 0.1:
            name = r.choice(["account", "price", "size", *WORDS])
            terms[name] = r.choice({"account": ACCOUNTS, "price": PRICES, "size": SIZES, **WORDS}[name])
        pair.both(lambda ex, terms=terms: ex.order(**terms))
    pair.same()
    assert pair.short > 2_500
    pair.faces[0].check()


def test_only_the_compiled_core_itself_has_a_short_way(tmp_path):
    """What keeps, audits or previews commands sees every one of them."""
    assert solvent.reference.Exchange(INSTRUMENTS)._quick is None
    assert solvent.testing.audited()(INSTRUMENTS)._quick is None
    ex = solvent.Exchange(INSTRUMENTS, seed=1)
    recording = ex.record()
    ex.deposit("a", "USDT", 10**6)
    ex.mark("A", 50_000)
    assert ex.order("a", "A", "buy", 1, price=49_000) and recording.last == 4 and ex.at(4).open_orders("a")
    seen, digest = ex.preview("a", "A", "buy", 1, price=49_000), ex.digest()
    assert seen and ex.digest() == digest
    assert ex.atomic([("order", {"account": "a", "instrument": "A", "side": "buy", "size": 1, "price": 48_000})])
    assert len(ex.open_orders("a")) == 2
    fork = ex.fork()
    assert fork._quick is not None and fork.order("a", "A", "buy", 1, price=47_000) and len(ex.open_orders("a")) == 2


def test_an_instrument_that_was_added_has_it_too():
    ex = solvent.Exchange(INSTRUMENTS[:1], seed=1)
    ex.deposit("a", "USDT", 10**6)
    ex.add_instrument(Instrument("NEW", tick="0.5"))
    ex.mark("NEW", 100)
    assert ex.order("a", "NEW", "buy", 1, price="99.5") and not ex.order("a", "NEW", "buy", 1, price="99.25")
    assert "NEW" in ex.venue.steps
