"""The caller's decimal context decides nothing: whole sessions under hostile ones, and numbers of giant exponents.

Owns a session that meets every place that takes or gives a decimal. Its answers, events and digests are those of the default
context, under contexts that round, raise at every inexact step, or never raise.
"""

import json
import subprocess
import sys
import time
from decimal import (
    ROUND_UP,
    Context,
    Decimal,
    ExtendedContext,
    FloatOperation,
    Inexact,
    InvalidOperation,
    Rounded,
    localcontext,
)

import pytest

import solvent
import solvent.reference
from solvent import (
    Book,
    Code,
    Collateral,
    Funding,
    Index,
    InputError,
    Instrument,
    PriceModel,
    Rejected,
    SolventError,
    Tier,
    Trigger,
    venues,
)
from solvent.auditor import Auditor
from solvent.feed import Feed
from solvent.lab.market import paths
from solvent.lab.recorded.capture import read
from solvent.lab.recorded.replay import replay
from solvent.terms.tiers import deductions, okex_btc_2019, rate_ppb

BTC, XBT, ETH = "BTC-USDT-SWAP", "XBTUSD", "ETH-USDT-SWAP"
NASTY = {
    "three digits": Context(prec=3),
    "one digit, up": Context(prec=1, rounding=ROUND_UP, Emin=0, Emax=0, capitals=0, clamp=1),
    "extended": ExtendedContext,
    "traps off": Context(prec=2, traps=[]),
    "inexact raises": Context(prec=2, traps=[Inexact, Rounded]),
    "everything raises": Context(prec=1, Emin=0, Emax=0, traps=list(Context().flags)),
    "floats raise": Context(traps=[FloatOperation, InvalidOperation]),
    "small letters": Context(capitals=0),
    "many digits": Context(prec=300),
}


def tables():
    """What is made of venues' payloads, of tiers and of rates."""
    bracket = {"floor": 0, "cap": 50_000, "mmr": "0.004", "max_leverage": "125", "maintenance_deduction": 0}
    higher = {"floor": 50_000, "cap": "250000.5", "mmr": "0.00511", "max_leverage": "33.339", "maintenance_deduction": "55.5"}
    size = {"tier": 1, "minSz": 0, "maxSz": "20000.01", "mmr": "0.0213", "imr": "0.0537", "maxLever": "18.187"}
    swap = {"instId": "E", "ctType": "linear", "ctVal": "0.12345", "ctMult": "1.001", "tickSz": "0.01", "lotSz": "0.1"}
    brackets = venues.binance_tiers([bracket, higher])
    return [
        brackets, deductions(brackets), venues.okx_tiers([size]), okex_btc_2019(), rate_ppb("0.123456789", "rate"),
        venues.okx_instrument(swap | {"settleCcy": "USDT", "expTime": ""}, settle_decimals=11, max_price=100), brackets,
        venues.price_model("deribit").compiled(1), paths.find("ftx").contract_size, Trigger.trailing(rate="0.123456789"),
        Instrument("S", scheme="deduction", basis="notional", tiers=brackets, max_size=10_000).spec,
        Instrument("C", scheme="slope", tiers=[Tier(10, "0.005", "0.01")], maintenance_curve="0.000012345678",
                   initial_curve="0.0000123456789", lot="0.01", settle_decimals=12, max_price=10_000).spec,
    ]  # fmt: skip


def instruments():
    model = PriceModel(components=["index", "basis_ema"], sample_ns=10**9, alpha="0.123456789", band="0.0123456",
                       index=Index(sources={"a": 1, "b": 2}, outlier="0.0512345"),
                       funding=Funding(interval_ns=10**10, interest="0.00012345", cap="0.0212345"))  # fmt: skip
    return [
        Instrument(BTC, maker_fee="0.000123456", taker_fee="0.000523457"),
        Instrument(XBT, kind="inverse", settle="XBT", settle_decimals=10, contract_size=1, tick="0.5", max_price=10**6,
                   tiers=[Tier(10**6, "0.005", "0.01")]),
        Instrument(ETH, contract_size="0.001", tick="0.01", lot="0.1", prices=model, tiers=[Tier(10**5, "0.0123", "0.0234")]),
    ]  # fmt: skip


def opened(module):
    """Two currencies and a collateral, three instruments, a long and a short in each."""
    backing = Collateral("COIN", of="USDT", price=BTC, haircut="0.123456789")
    ex = module.Exchange(instruments(), collateral=[backing], currencies={"EUR": 2})
    for name in ("alice", "bob"):
        ex.deposit(name, "USDT", "100000.123456")
        ex.deposit(name, "XBT", Decimal("10.1234567891"))
        ex.deposit(name, "COIN", "0.12345678")
    ex.seed_fund("USDT", "12345.678901")
    ex.mark(BTC, "50000.0512345")
    ex.index(BTC, "50001.0512345678")
    ex.mark(XBT, "50000.3")
    ex.source(ETH, "a", "3000.123456789")
    ex.source(ETH, "b", "3001.987654321")
    ex.set_leverage("alice", BTC, "18.187655", mode="isolated")
    ex.set_leverage("alice", XBT, "33.25", mode="cross")
    ex.set_leverage("bob", BTC, 3, mode="cross")
    ex.order("bob", BTC, "sell", 100, price="50000.1").ok()
    ex.order("alice", BTC, "buy", 100, price="50000.1").ok()
    ex.order("bob", XBT, "sell", 123_457, price="50000.5").ok()
    ex.order("alice", XBT, "buy", 123_457, price="50000.5").ok()
    ex.order("bob", ETH, "sell", "1234.5", price="3000.12").ok()
    ex.order("alice", ETH, "buy", "1234.5", price="3000.12").ok()
    return ex


def shown(ex):
    """Every view of everybody, as values and as text."""
    out = [str(ex.explain(name)) for name in ("alice", "bob")]
    for name in ("alice", "bob"):
        out += [ex.account(name), ex.open_orders(name), ex.explain(name)]
        out += [ex.position(name, each.name) for each in ex.instruments]
    for each in ex.instruments:
        out += [ex.prices(each.name), ex.depth(each.name)]
    for currency in ex.currencies:
        out += [ex.fund(currency), ex.deficit(currency), ex.residue(currency)]
    arrays = [ex.positions_array(), ex.liquidations_array(), ex.accounts_array()]
    return [*out, ex.parcels(), *(each.tobytes() for each in arrays)]


def exchange_session(module):
    ex = opened(module)
    auditor = Auditor(ex)
    out = shown(ex)
    ex.move_margin("alice", BTC, "123.456789")
    ex.order("alice", BTC, "sell", 5, trigger=Trigger.stop("49000.1"), reduce_only=True).ok()
    ex.order("alice", BTC, "sell", 5, trigger=Trigger.trailing(rate="0.012345678", by="last"), reduce_only=True).ok()
    ex.order("bob", BTC, "buy", 7, slippage="0.012345678", leg=None).ok()
    quote = ex.order("bob", BTC, "buy", 7, price="47123.4", client_id=3).ok()
    out += [repr(quote), ex.amend("bob", client_id=3, price="47123.5", size=8).ok().resting]
    ex.settle_funding(BTC, "0.000123457", 1)
    ex.advance(21 * 10**9)
    ex.add_instrument(
        Instrument("N", contract_size="0.0123", tick="0.01", settle_decimals=6, tiers=[Tier(10, "0.01", "0.02")])
    )
    ex.withdraw("alice", "USDT", "0.000001")
    out += shown(ex)
    refused = []
    for call in (
        lambda: ex.deposit("alice", "USDT", "0.0000001"), lambda: ex.settle_funding(BTC, "0.0001234567", 2),
        lambda: ex.deposit("alice", "EUR", "0.001"), lambda: ex.mark(BTC, "abc"), lambda: ex.mark(BTC, Decimal("NaN")),
        lambda: ex.mark(BTC, 1.5), lambda: ex.deposit("alice", "USDT", "1e30"), lambda: ex.mark(BTC, "1e-300"),
    ):  # fmt: skip
        with pytest.raises(SolventError) as caught:
            call()
        refused.append(str(caught.value))
    out += refused
    out += [ex.order("alice", BTC, "buy", "1.5", price=50_000).code, ex.order("alice", BTC, "buy", 1, price="1.23").code]
    out.append(ex.order("alice", BTC, "buy", 1, slippage="0.0123456789").code)
    for price in ("47000.1", "45000.7"):
        ex.mark(BTC, price)
        ex.mark(XBT, price)
    out += shown(ex)
    auditor.follow(ex.drain())
    auditor.check_safety()
    ex.check()
    return [*out, ex.events().tobytes(), ex.digest()]


def book_session(module):
    book = module.Book()
    feed = Feed(book)
    ask = book.order(1, "sell", 5, price_ticks=101)
    quoted = book.order(4, "buy", 1, price_ticks=55)
    out = [repr(ask), repr(book.order(2, "buy", 7, price_ticks=101)), book.order(3, "buy", 4, slippage="0.123456789").code]
    out += [book.order(3, "sell", 9, trigger=Trigger.trailing(rate="0.5")).code, book.depth(), feed.snapshot(), str(quoted)]
    return [*out, book.events().tobytes(), book.digest()]


LOBSTER = """34200.004241176,1,16113575,18,5853300,1
34200.0042607640000001,1,16113584,18,5853200,1
34200.004447484,4,16113575,7,5853300,1
34200.025551909,3,16120456,18,5859100,-1
34200.025579546,5,0,1,5853250,1
"""


def replay_session(folder):
    """A capture of cents and of seconds in decimals, as text and as a report."""
    path = folder / "capture.csv"
    path.write_text(LOBSTER)
    report = replay(read(path))
    path.write_text(LOBSTER + "34201,1,7,0.5,1,1\n")
    with pytest.raises(InputError) as caught:
        read(path)
    return [str(report), json.loads(report.to_json()), str(caught.value).replace(str(folder), "")]


def everything(module, folder):
    return [*tables(), *exchange_session(module), *book_session(module), *replay_session(folder)]


@pytest.mark.parametrize("module", [solvent, solvent.reference], ids=["compiled", "reference"])
def test_a_session_is_the_same_in_every_context(module, tmp_path):
    usual = everything(module, tmp_path)
    texts = list(map(repr, usual))
    for name, context in NASTY.items():
        with localcontext(context):
            found = everything(module, tmp_path)
        assert found == usual, name
        assert list(map(repr, found)) == texts, name  # Decimal("1.0") == Decimal("1"), and is not the same answer


@pytest.mark.parametrize("name", NASTY)
def test_rates_finer_than_nine_decimals_are_refused(name):
    """Under a low precision 0.0123456785 once became 0.01234568 on its way in."""
    with localcontext(NASTY[name]):
        ex = opened(solvent)
        for fine in ("0.0123456785", Decimal("0.01234567850000001"), "1e-10"):
            for what in ("maker_fee", "taker_fee", "liquidation_fee"):
                with pytest.raises(InputError, match="nine decimals"):
                    Instrument("X", **{what: fine})
            for call in (
                lambda fine=fine: Tier(1, fine, "0.1"), lambda fine=fine: Funding(interest=fine),
                lambda fine=fine: PriceModel(band=fine), lambda fine=fine: rate_ppb(fine, "rate"),
                lambda fine=fine: Collateral("A", of="USDT", price="X", haircut=fine),
            ):  # fmt: skip
                with pytest.raises(InputError, match="nine decimals"):
                    call()
            assert ex.order("alice", BTC, "buy", 1, slippage=fine).code == Code.BAD_SLIPPAGE
            trailing = Trigger.trailing(rate=fine)
            assert ex.order("alice", BTC, "sell", 1, trigger=trailing, reduce_only=True).code == Code.BAD_TRIGGER
            with pytest.raises(Rejected, match="BAD_RATE"):
                ex.settle_funding(BTC, fine, 1)
            with pytest.raises(Rejected, match="BAD_LEVERAGE"):
                ex.set_leverage("alice", BTC, f"9.{str(fine)[2:]}" if "e" not in str(fine) else "9.0000001", mode="isolated")


GIANT = ["1e99999999", "-1e99999999", "1e-99999999", "1.5e999999999999999999", "1e-999999999999999999",
         "1e99999999999999999999", 10**5_000, -(10**5_000), "9" * 5_000, "0." + "3" * 10**6, "1" + "0" * 10**6]  # fmt: skip


def taken(ex, value):
    """Every place where a number is taken, with this one."""
    swap = {"instId": "E", "ctType": "linear", "ctMult": "1", "lotSz": "1", "settleCcy": "USDT", "expTime": ""}
    bracket = {"floor": 0, "cap": 50_000, "mmr": "0.004", "max_leverage": 125, "maintenance_deduction": 0}
    size = {"minSz": 0, "maxSz": "20000", "mmr": "0.02", "imr": "0.05", "maxLever": "18"}
    for name in (
        "contract_size",
        "tick",
        "lot",
        "maker_fee",
        "taker_fee",
        "liquidation_fee",
        "max_price",
        "max_size",
        "settle_decimals",
        "expiry_ns",
        "settle_window_ns",
        "tier_group",
        "maintenance_curve",
        "initial_curve",
    ):
        scheme = "slope" if "curve" in name else "whole"
        yield lambda name=name, scheme=scheme: Instrument("X", scheme=scheme, tiers=[Tier(9, "0.1", "0.2")], **{name: value})
    for row in ((value, 0, 0), (1, value, 0), (1, 0, value)):
        yield lambda row=row: Instrument("X", fee_tiers=[row])
    for name in ("max_contracts", "maintenance", "initial", "max_leverage", "deduction"):
        terms = {"max_contracts": 1, "maintenance": "0.1", "initial": "0.2"} | {name: value}
        yield lambda terms=terms: Instrument("X", basis="notional", scheme="deduction", max_size=1, tiers=[Tier(**terms)])
    for name in ("interval_ns", "impact", "bound", "interest", "clamp", "cap", "cutoff_ns", "trailing", "margin"):
        model = {name: value}
        yield lambda model=model: Instrument("X", prices=PriceModel(funding=Funding(**model)))
    for name in ("sample_ns", "window", "alpha", "band"):
        yield lambda name=name: PriceModel(**{name: value})
    for name in ("stale_ns", "outlier", "least"):
        yield lambda name=name: Index(sources={"a": 1}, **{name: value})
    yield lambda: Index(sources={"a": value})
    yield lambda: solvent.Rates([value])
    yield lambda: solvent.Rates(["0.1"], max_leverage=value)
    for name in ("haircut", "decimals"):
        yield lambda name=name: Collateral("A", **({"of": "USDT", "price": "X", "haircut": 0} | {name: value}))
    yield lambda: solvent.Exchange([Instrument("X")], currencies={"A": value})
    for name in bracket:
        yield lambda name=name: venues.binance_tiers([bracket | {name: value}])
    for name in size:
        yield lambda name=name: venues.okx_tiers([size | {name: value}])
    for name in ("ctVal", "ctMult", "tickSz", "lotSz", "expTime"):
        payload = {"ctVal": 1, "tickSz": "0.1"} | swap | {name: value}
        yield lambda payload=payload: venues.okx_instrument(payload)
    yield from commands(ex, value)


def commands(ex, value):
    for call in (ex.deposit, ex.withdraw):
        yield lambda call=call: call("alice", "USDT", value)
    yield lambda: ex.seed_fund("USDT", value)
    yield lambda: ex.transfer("alice", "bob", "USDT", value)
    yield lambda: ex.move_margin("alice", BTC, value)
    yield lambda: ex.mark(BTC, value)
    yield lambda: ex.index(BTC, value)
    yield lambda: ex.source(ETH, "a", value)
    yield lambda: ex.delist(XBT, value)
    yield lambda: ex.settle_funding(BTC, value, 1)
    yield lambda: ex.settle_funding(BTC, "0.0001", value)
    yield lambda: ex.set_leverage("alice", BTC, value, mode="isolated")
    yield lambda: ex.set_leverage("alice", BTC, 5, mode="isolated", tier=value)
    yield lambda: ex.advance(value)
    yield lambda: ex.amend("alice", value, size=1).ok()
    yield lambda: ex.cancel("alice", value).ok()
    yield lambda: ex.cancel("alice", client_id=value).ok()
    yield lambda: ex.depth(BTC, value)
    yield lambda: ex.account(value)
    yield lambda: ex.position("alice", value)
    live = ex.open_orders("alice")[0].order_id
    yield lambda: ex.amend("alice", live, size=value).ok()
    yield lambda: ex.amend("alice", live, price=value).ok()
    order = {"account": "alice", "instrument": BTC, "side": "sell", "size": 1, "price": 50_000}
    for name in ("account", "instrument", "size", "price", "client_id", "expiry_ns", "self_trade_group"):
        if name != "client_id" or not isinstance(value, str):  # a text of digits is a client id like any text
            yield lambda name=name: ex.order(**order | {name: value}).ok()
    market = {key: order[key] for key in ("account", "instrument", "side", "size")}
    yield lambda: ex.order(**market, slippage=value).ok()
    for trigger in (Trigger.stop, Trigger.take_profit):
        yield lambda trigger=trigger: ex.order(**order, trigger=trigger(value)).ok()
    yield lambda: ex.order(**order, trigger=Trigger.trailing(distance=value)).ok()
    yield lambda: ex.order(**order, trigger=Trigger.trailing(rate=value)).ok()
    yield lambda: Book(value)
    yield lambda: Book(max_size_lots=value)
    yield lambda: Book().order(1, "buy", value)
    yield lambda: Book().order(value, "buy", 1)


@pytest.mark.parametrize("value", GIANT, ids=lambda value: f"{str(value)[:25]}" if isinstance(value, str) else "an int")
def test_giant_numbers_are_refused_at_once(value):
    """Typed, and in less than it takes to write a number of so many digits down; nothing changes."""
    ex = opened(solvent)
    ex.order("alice", BTC, "buy", 1, price=49_000).ok()
    before = ex.digest()
    for given in (value,) if value == "1e99999999999999999999" else (value, Decimal(value)):
        for call in taken(ex, given):
            begin = time.process_time()
            with pytest.raises(SolventError):
                call()
            assert time.process_time() - begin < 0.25
    assert ex.digest() == before


IMPORTS = """
import decimal, pkgutil, importlib, sys
if sys.argv[1] == "nasty":
    decimal.setcontext(decimal.Context(prec=1, Emin=0, Emax=0, capitals=0, traps=list(decimal.Context().flags)))
import solvent
for each in pkgutil.walk_packages(solvent.__path__, "solvent."):
    if not each.name.endswith(("__main__", "picture", "arrow")):
        importlib.import_module(each.name)
from solvent.lab.market import population, report
from solvent.terms.tiers import okex_btc_2019
print(population.UNIT, report.exact(1234567), okex_btc_2019()[98], solvent.Instrument("X").spec)
ex = solvent.Exchange([solvent.Instrument("X")])
ex.deposit("a", "USDT", "1.234567")
print(ex.account("a").cash, ex.digest())
"""


def test_the_context_of_the_import_does_not_matter():
    """Constants that are computed once are right whoever imports the package first."""
    told = [subprocess.run([sys.executable, "-c", IMPORTS, how], capture_output=True, text=True, check=True).stdout
            for how in ("usual", "nasty")]  # fmt: skip
    assert told[0].replace("1E-6", "1e-6") == told[1] and "1.234567" in told[1]
