"""Published liquidation and bankruptcy prices of real venues, driven through both implementations.

Owns the numbers of liquidation rules, sections 2-11, that are prices (section 0's own vectors C1-C5 and HL4 come along), and
the small vocabulary that puts one position where an example has it. Requirements, tier tables and Orderly are in
test_published_more.py, published numbers that do not check in test_published_errors.py. A case's id is the id of that page, or
the venue where it has none; O6, O7, B8 and Y11 have no row there, their numbers are freqtrade's.

Every price is held to three things: the closed form of section 0 in exact fractions rounds to the printed digits; the
engine agrees with the closed form within one tick (it answers whole ticks, and its money is whole units, rounded against
the trader); and the market agrees with the engine: one tick before the liquidation price nothing happens, at it the
position goes.

In other files: prices with the margin fixed at *entry* (test_published_entry.py, with Delta's slice and rest; B10, K2 and
Delta's 9,840.1 also have tests of what the same inputs give at mark); Y1's liquidation price, V14 to V17, H1 to H3, D23
(test_published_rules.py). A close of a part at its share (D3, D4): a takeover is of all of it, so a published half is half of
the takeover's. The orders that dYdX must reject there do not exist here.

Gate prints formulas only, those of section 0. Left to others: funding and mark price (M3, HL3, D20-D22, V9-V12, V20, WhiteBIT:
test_prices.py; 1.12: test_funding.py), fund, queues and execution (O3, B9, Y9, M1, M2, M4, K3, section 8.3, D24, D25, V1, V2's
shares, V6-V8, all of Drift).
"""

from dataclasses import dataclass, replace
from decimal import Decimal
from fractions import Fraction

import pytest

from solvent import EventType, Instrument, Tier
from solvent.records import Ending, Verdict
from solvent.rules import find

X = "X"
BARE = replace(
    find("seed"), name="published", source="liquidation rules, section 0: the trigger's rate is mmr", step_tiers=1_000,
    fee_isolated_low=False, fee_cross_low=False, price_band_ppb=10**9 - 1,
)  # fmt: skip
"""Every tier is a low one, so that the threshold is its own rate; and no band between an example's prices."""
WITH_FEE = replace(BARE, source="liquidation rules, section 0: mmr + f", fee_isolated_low=True, fee_cross_low=True)

BINANCE = tuple(
    Tier(top, mmr, initial)
    for top, mmr, initial in (
        (50_000, "0.004", "0.008"), (250_000, "0.005", "0.01"), (10**6, "0.01", "0.02"), (10**7, "0.025", "0.05"),
        (2 * 10**7, "0.05", "0.1"), (5 * 10**7, "0.1", "0.2"), (10**8, "0.125", "0.25"), (2 * 10**8, "0.15", "0.333333333"),
        (3 * 10**8, "0.25", "0.5"), (5 * 10**8, "0.5", "1"),
    )
)  # fmt: skip
"""Caps and maintenance rates of B6; the initial rates are ours, as the page prints none."""


def flat(size, mmr: str, leverage: int) -> tuple[Tier, ...]:
    """One tier that allows this leverage."""
    return (Tier(size, mmr, Decimal(10**9 // leverage).scaleb(-9), leverage),)


def deducting(mmr: str, deduction: str, top) -> tuple[Tier, ...]:
    """A tier with a printed rate and deduction. The one below it is ours: at half the rate, and as high as that asks."""
    half = Decimal(mmr) / 2
    return Tier(Decimal(deduction) / half, half, mmr), Tier(top, mmr, mmr, deduction=deduction)


def closed_form(row: "Row", rate: str | Decimal, margin: Fraction | None = None) -> Fraction:
    """Section 0: the price at which margin + deduction + profit is `rate` of the value; a deduction only with a rate."""
    margin = (row.held if margin is None else margin) + (Fraction(row.deduction) if Fraction(rate) else 0)
    q, entry, s, r = Fraction(row.c) * Fraction(row.size), Fraction(row.entry), row.side, Fraction(rate)
    if row.kind == "inverse":
        return q * (1 + s * r) / (q / entry + s * margin)
    return (q * entry - s * margin) / (q * (1 - s * r))


@dataclass(frozen=True, kw_only=True)
class Row:
    """One position of an example. margin: isolated margin, or the cross account's balance; None: value / leverage."""

    id: str
    source: str
    kind: str = "linear"
    c: str = "1"
    tick: str
    decimals: int
    lot: str | None = None
    side: int = 1
    size: str
    entry: str
    leverage: int
    margin: str | None = None
    mode: str = "isolated"
    mmr: str = "0.001"
    fee: str = "0"
    deduction: str = "0"
    tiers: tuple[Tier, ...] | None = None
    liquidation: str | None = None
    bankruptcy: str | None = None
    closing: str | None = None  # the bankruptcy price that also pays the fee of closing there
    off: str | None = None  # how far the print may be from the exact number; else half of its last digit

    @property
    def held(self) -> Fraction:
        """The margin, exactly."""
        if self.margin is not None:
            return Fraction(self.margin)
        worth = Fraction(self.c) * Fraction(self.size)
        return (worth / Fraction(self.entry) if self.kind == "inverse" else worth * Fraction(self.entry)) / self.leverage

    @property
    def step(self) -> Fraction:
        return Fraction(self.tick)

    def instrument(self, name: str = X) -> Instrument:
        """Fees only where a number has one: what a taker pays for closing, and what a threshold counts."""
        by_value = self.tiers is not None
        return Instrument(
            name, kind=self.kind, settle="COIN", contract_size=self.c, tick=self.tick, lot=self.lot or self.size,
            settle_decimals=self.decimals, tiers=self.tiers or flat(self.size, self.mmr, self.leverage),
            basis="notional" if by_value else "contracts", scheme="deduction" if by_value else "whole", maker_fee=0,
            taker_fee=self.fee if self.closing else 0, liquidation_fee=self.fee, max_size=self.size,
            max_price=(3 * Decimal(self.entry)).quantize(Decimal(self.tick)),
        )  # fmt: skip


def agree(exact: Fraction, printed: str, off: str | None = None) -> None:
    """A printed number is the exact one, rounded to the digits it has."""
    digits = Decimal(printed).as_tuple().exponent
    assert abs(exact - Fraction(printed)) <= (Fraction(off) if off else Fraction(10) ** digits / 2), (str(exact), printed)


def begin(make, instruments, rules=BARE):
    """An exchange with a rich account that takes the other side of everything, at any leverage."""
    ex = make(instruments, rules=rules)
    ex.deposit("rich", instruments[0].settle, 2**60 * instruments[0].unit)
    ex.deposit("poor", instruments[0].settle, 2**60 * instruments[0].unit)
    return ex


def trade(ex, name, side: int, size, price, leverage: int, mode: str, leg=None) -> None:
    """Poor's order waits and rich takes it, so that poor pays the maker fee: none."""
    ex.mark(name, price)
    ex.set_leverage("rich", name, 1, mode="cross")
    ex.set_leverage("poor", name, leverage, mode=mode, leg=leg)
    sides = ("buy", "sell") if side > 0 else ("sell", "buy")
    ex.order("poor", name, sides[0], size, price=price, leg=leg).ok()
    assert ex.order("rich", name, sides[1], size, price=price).filled == Decimal(size)


def balance(ex, cash) -> None:
    """Leaves poor with this much in the wallet."""
    wallet = ex.account("poor")
    ex.withdraw("poor", next(iter(wallet.wallets)), wallet.cash - Decimal(cash))


def placed(make, row: Row, rules=BARE):
    """The exchange with the row's position, on exactly its margin."""
    ex = begin(make, [row.instrument()], rules)
    trade(ex, X, row.side, row.size, row.entry, row.leverage, row.mode)
    if row.mode == "cross":
        balance(ex, row.margin)
    elif row.margin and Decimal(row.margin) != ex.position("poor", X).margin:
        ex.move_margin("poor", X, Decimal(row.margin) - ex.position("poor", X).margin)
    return ex


def of(events, kind) -> list:
    return [e for e in events if e.type == kind]


def fires(ex, name: str, price: Decimal, side: int) -> list:
    """One tick before a liquidation price nothing happens; at it the position goes. The events of that."""
    step = next(each.tick_size for each in ex.instruments if each.name == name)
    assert not of(ex.mark(name, price + side * step).events, EventType.LIQUIDATION)
    events = ex.mark(name, price).events
    [found] = of(events, EventType.LIQUIDATION)
    assert found.account == ex.account("poor").account_id and found.verdict == Verdict.FULL
    return events


def to_tick(exact: Fraction, row: Row) -> Fraction:
    """The tick on the venue's safe side: a long's bankruptcy price up, a short's down."""
    ticks = exact / row.step
    return (-(-ticks.numerator // ticks.denominator) if row.side > 0 else ticks.numerator // ticks.denominator) * row.step


def check_liquidation(make, row: Row, fee: str = "0") -> None:
    rate = Decimal(row.mmr) + Decimal(fee)
    exact = closed_form(row, rate)
    agree(exact, row.liquidation, row.off)
    ex = placed(make, row, WITH_FEE if Decimal(fee) else BARE)
    p = ex.position("poor", X)
    assert p.mode == row.mode and p.profit_side_liquidation_price is None
    assert abs(Fraction(p.liquidation_price) - exact) <= row.step
    [taken] = of(fires(ex, X, p.liquidation_price, row.side), EventType.TAKEOVER)
    assert taken.size_lots == p.size_lots
    assert abs(taken.bankruptcy_ticks * row.step - closed_form(row, "0")) <= row.step


C = {"source": "closed forms of section 0, ours", "leverage": 10}
BINANCE_SUPPORT = "Binance support pages"
FREQTRADE = "freqtrade, tests/exchange/test_exchange.py"
B7 = {
    "source": FREQTRADE, "tick": "0.000000001", "decimals": 10, "lot": "0.1", "side": -1, "mmr": "0.01", "deduction": "0.01",
    "tiers": deducting("0.01", "0.01", 1_000),
}  # fmt: skip
B8 = B7 | {"side": 1}
O6 = {"source": FREQTRADE, "tick": "0.000000001", "decimals": 10, "lot": "0.1", "mmr": "0.01", "fee": "0.0006"}
BYBIT = "Bybit help, MCS and UTA pages"
INVERSE = {"kind": "inverse", "tick": "0.0001"}
KRAKEN = INVERSE | {
    "id": "K1", "source": "Kraken support", "decimals": 10, "size": "1000", "entry": "8000", "leverage": 50, "margin": "0.01",
    "mmr": "0.01",
}  # fmt: skip
DELTA = INVERSE | {"source": "delta-exchange/just-the-docs, trading guide", "entry": "10000"}
PHEMEX = {
    "id": "Phemex", "source": "Phemex help", "tick": "0.000001", "decimals": 7, "lot": "1", "size": "500", "entry": "0.4",
    "leverage": 5, "margin": "40.096", "fee": "0.0006",
}  # fmt: skip
LONG_C = C | {"c": "0.01", "tick": "0.000001", "decimals": 8, "size": "100", "entry": "50000", "mmr": "0.005"}
COIN_C = C | INVERSE | {"c": "100", "decimals": 9, "size": "1000", "entry": "50000", "margin": "0.2", "mmr": "0.005"}
HL4 = {
    "id": "HL4", "source": "Hyperliquid docs (uooooo/HyperUX); numbers ours", "tick": "0.0001", "decimals": 4, "size": "1",
    "entry": "50000", "leverage": 40, "margin": "5000", "mode": "cross", "mmr": "0.0125",
}  # fmt: skip

AT_MMR = [
    Row(**LONG_C, id="C1", liquidation="45226.1306532663"),
    Row(**LONG_C, id="C2", side=-1, liquidation="54726.3681592040"),
    Row(**COIN_C, id="C3", liquidation="45681.8181", off="0.0001"),  # the page cuts a period: 45,681.8181...
    Row(**COIN_C, id="C4", side=-1, liquidation="55277.7777", off="0.0001"),
    Row(
        id="B1", source=BINANCE_SUPPORT, tick="0.0001", decimals=7, lot="0.001", size="3683.979", entry="1456.84", leverage=5,
        margin="1535443.01", mmr="0.1", deduction="135365", tiers=deducting("0.1", "135365", 10**8), liquidation="1114.78",
    ),
    Row(
        id="B2", source=BINANCE_SUPPORT, tick="0.001", decimals=6, lot="0.001", size="109.488", entry="32481.98", leverage=20,
        margin="1535443.01", mmr="0.025", deduction="16300", tiers=BINANCE, liquidation="18778.73",
    ),
    Row(**B7, id="B7 5/10/1", size="1", entry="10", leverage=5, liquidation="11.89108910891089"),
    # Its constant is 3e-11 off the exact 13.211221122112212.
    Row(**B7, id="B7 3/10/1", size="1", entry="10", leverage=3, liquidation="13.211221122079207", off="4e-11"),
    # A double, cut after sixteen digits.
    Row(**B7, id="B7 5/8/1", size="1", entry="8", leverage=5, liquidation="9.514851485148514", off="1e-15"),
    Row(**B7, id="B7 5/10/0.6", size="0.6", entry="10", leverage=5, liquidation="11.897689768976898"),
    # Doubles; a wallet of 10 / 3 and of 8 / 5 in the second and third.
    Row(**B8, id="B8 5/10/1", size="1", entry="10", leverage=5, liquidation="8.070707070707071", off="1e-15"),
    Row(**B8, id="B8 3/10/1", size="1", entry="10", leverage=3, liquidation="6.723905723905723", off="1e-15"),
    Row(**B8, id="B8 5/8/1", size="1", entry="8", leverage=5, liquidation="6.454545454545454", off="1e-15"),
    Row(**B8, id="B8 5/10/0.6", size="0.6", entry="10", leverage=5, liquidation="8.063973063973064", off="1e-15"),
    # Printed 95,500 with the margin of 500 fixed at entry; this is the same with 0.5 % at mark.
    Row(
        id="B10", source="affmiss", tick="0.0001", decimals=4, size="1", entry="100000", leverage=20, mmr="0.005",
        liquidation="95477.39",
    ),
    Row(**KRAKEN, liquidation="7481"),
    Row(**HL4, liquidation="45569.6203"),
    Row(**HL4 | {"side": -1}, liquidation="54320.9877"),
    Row(
        **DELTA, id="Delta 20,000", decimals=9, size="20000", leverage=100, mmr="0.005", liquidation="9950",
    ),
    Row(
        id="Orderly isolated", source="OrderlyNetwork/js-sdk, packages/perp", tick="0.00000001", decimals=8, size="1",
        entry="100", leverage=10, margin="10.06", mmr="0.05", liquidation="94.67368421",
    ),
]  # fmt: skip
AT_MMR_AND_FEE = [
    Row(**LONG_C, id="C1", fee="0.0005", liquidation="45248.8687782805"),
    Row(**LONG_C, id="C2", fee="0.0005", side=-1, liquidation="54699.1546494281"),
    Row(**COIN_C, id="C3", fee="0.0005", liquidation="45704.5454", off="0.0001"),
    Row(**COIN_C, id="C4", fee="0.0005", side=-1, liquidation="55250"),
    Row(**O6, id="O6 5/10/1", side=-1, size="1", entry="10", leverage=5, liquidation="11.87413417771621", off="1e-14"),
    Row(**O6, id="O6 5/10/2", side=-1, size="2", entry="10", leverage=5, liquidation="11.87413417771621", off="1e-14"),
    Row(**O6, id="O6 3/10/1", side=-1, size="1", entry="10", leverage=3, liquidation="13.193482419684678", off="1e-14"),
    Row(**O6, id="O6 5/8/1", side=-1, size="1", entry="8", leverage=5, liquidation="9.499307342172967", off="1e-14"),
    Row(**O6, id="O7 5/10/1", size="1", entry="10", leverage=5, liquidation="8.085708510208207", off="1e-14"),
    Row(**O6, id="O7 3/10/1", size="1", entry="10", leverage=3, liquidation="6.738090425173506", off="1e-14"),
    Row(**PHEMEX, mmr="0.01", liquidation="0.3232"),  # the rate of 1 % is not printed: it is what 0.3232 leaves
]


@pytest.mark.parametrize("row", AT_MMR, ids=lambda row: f"{row.id}-{'short' if row.side < 0 else 'long'}")
def test_liquidation_price(make, row):
    """The trigger is the tier's rate alone, its deduction taken off where there is one."""
    check_liquidation(make, row)


@pytest.mark.parametrize("row", AT_MMR_AND_FEE, ids=lambda row: row.id)
def test_liquidation_price_with_the_fee(make, row):
    """The trigger also keeps the fee of closing."""
    check_liquidation(make, row, row.fee)


BANKRUPT = [
    Row(**LONG_C, id="C1", bankruptcy="45000"),
    Row(**LONG_C, id="C2", side=-1, bankruptcy="55000"),
    Row(**COIN_C, id="C3", bankruptcy="45454.5454", off="0.0001"),
    Row(**COIN_C, id="C4", side=-1, bankruptcy="55555.5555", off="0.0001"),
    Row(
        **C | {"leverage": 10}, id="C5", kind="quanto", c="0.000001", tick="0.01", decimals=8, size="1000", entry="300",
        margin="0.03", bankruptcy="270",
    ),
    Row(**INVERSE, id="Y2", source=BYBIT, decimals=10, size="5000", entry="7890.08", leverage=50, bankruptcy="7735.372549"),
    Row(id="Y3", source=BYBIT, tick="0.01", decimals=2, size="1", entry="10000", leverage=50, bankruptcy="9800"),
    Row(**INVERSE, id="Y4", source=BYBIT, decimals=11, size="1000", entry="11383.5", leverage=10, bankruptcy="10348.64"),
    Row(
        id="Y8", source="wuyelx, of Bybit", tick="0.01", decimals=2, size="100", entry="500", leverage=50, margin="1100",
        mode="cross", bankruptcy="489",
    ),
    Row(**KRAKEN, bankruptcy="7407"),
    Row(**DELTA, id="Delta 20,000", decimals=9, size="20000", leverage=100, bankruptcy="9901"),
    # Its margin: 0.65 BTC less what the slice of 137,389 lost.
    Row(**DELTA, id="Delta rest", decimals=9, size="62611", leverage=30, margin="0.265854", bankruptcy="9593"),
    Row(
        id="KuCoin short", source="KuCoin help", tick="0.01", decimals=2, side=-1, size="1", entry="28000", leverage=100,
        bankruptcy="28280",
    ),
    # 27,450.98: the page cuts it.
    Row(**INVERSE, id="KuCoin long", source="KuCoin help", decimals=11, size="1000", entry="28000", leverage=50,
        bankruptcy="27450", off="1"),
    Row(**INVERSE, id="10101 long", source="10101, crates/xxi-node/src/cfd.rs", decimals=11, size="1000", entry="30000",
        leverage=2, bankruptcy="20000"),
    Row(**INVERSE, id="10101 short", source="10101, crates/xxi-node/src/cfd.rs", decimals=11, side=-1, size="1000",
        entry="30000", leverage=2, bankruptcy="60000"),
]  # fmt: skip


@pytest.mark.parametrize("row", BANKRUPT, ids=lambda row: row.id)
def test_bankruptcy_price(make, row):
    """The price that leaves nothing of the margin, to the tick on the safe side; and the house takes the position there."""
    exact = closed_form(row, "0")
    agree(exact, row.bankruptcy, row.off)
    ex = placed(make, row)
    p = ex.position("poor", X)
    # Linear money is exact. An inverse value is rounded to a unit, which may carry a price over the next tick.
    assert abs(Fraction(p.bankruptcy_price) - to_tick(exact, row)) <= (row.step if row.kind == "inverse" else 0)
    [taken] = of(fires(ex, X, p.liquidation_price, row.side), EventType.TAKEOVER)
    assert taken.bankruptcy_ticks * row.step == p.bankruptcy_price


def test_an_inverse_short_at_1x_is_never_bankrupt(make):
    """An edge of section 0: its margin is its value, the denominator zero."""
    row = Row(**COIN_C | {"leverage": 1, "margin": None}, id="edge", side=-1)
    p = placed(make, row).position("poor", X)
    assert p.bankruptcy_price is None and p.liquidation_price is None


CLOSING = [
    Row(**LONG_C, id="C1", fee="0.0005", closing="45022.5112556278"),
    Row(**LONG_C, id="C2", fee="0.0005", side=-1, closing="54972.5137431284"),
    Row(**COIN_C, id="C3", fee="0.0005", closing="45477.2727", off="0.0001"),
    Row(**COIN_C, id="C4", fee="0.0005", side=-1, closing="55527.7777", off="0.0001"),
    Row(
        id="Y1", source=BYBIT, kind="inverse", tick="0.01", decimals=12, size="10000", entry="8000", leverage=10, margin="0.5",
        mode="cross", fee="0.00075", closing="5718.57",
    ),
    Row(**PHEMEX, closing="0.32"),  # a bankruptcy value of 160, as its balance has it: 40 + 160 * 0.06 %
]  # fmt: skip


@pytest.mark.parametrize("row", CLOSING, ids=lambda row: row.id)
def test_bankruptcy_price_that_pays_the_fee(make, row):
    """No view shows it: it is how far an order against the position trades. A tick beyond it nothing is filled."""
    exact = closed_form(row, row.fee)
    agree(exact, row.closing, row.off)
    ex = placed(make, replace(row, lot=row.lot or str(Decimal(row.size) / 10)))
    first = Decimal(to_tick(exact, row).numerator) / to_tick(exact, row).denominator
    sides, step = ("buy", "sell") if row.side > 0 else ("sell", "buy"), row.side * Decimal(row.tick)
    part = Decimal(row.size) / 10
    for price, size in ((first + step, part), (first - step, Decimal(row.size) - part)):
        ex.order("rich", X, sides[0], size, price=price).ok()
    ack = ex.order("poor", X, sides[1], row.size, price=first - step)
    assert ack.filled == part
    assert [e.ending for e in of(ack.events, EventType.DONE) if e.order_id == ack.order_id] == [Ending.BANKRUPTCY_LIMIT]


def test_a_bybit_bankruptcy_price_at_the_venues_own_tick(make):
    """Y2: 7,735.372549 -> 7,735.50. An entry of 7,890.08 is 4,200 at 7,890 and 800 at 7,890.5: a tick is 0.5."""
    tiers = flat(5_000, "0.005", 50)
    terms = Instrument(X, kind="inverse", settle="COIN", contract_size=1, tick="0.5", tiers=tiers, maker_fee=0, taker_fee=0,
                       settle_decimals=12, max_price=20_000)  # fmt: skip
    ex = begin(make, [terms])
    trade(ex, X, 1, 4_200, 7_890, 50, "isolated")
    trade(ex, X, 1, 800, "7890.5", 50, "isolated")
    p = ex.position("poor", X)
    assert (round(p.entry_price, 2), p.bankruptcy_price) == (Decimal("7890.08"), Decimal("7735.5"))


def test_a_delta_bankruptcy_price_at_the_venues_own_tick(make):
    """200,000 at 10,000 on 3.25 %: 9,685.23, printed 9,685.5."""
    row = Row(**DELTA | {"tick": "0.5"}, id="Delta 200,000", decimals=11, size="200000", leverage=33, margin="0.65",
              bankruptcy="9685.23")  # fmt: skip
    agree(closed_form(row, "0"), row.bankruptcy)
    assert placed(make, row).position("poor", X).bankruptcy_price == Decimal("9685.5")


def test_the_balance_of_phemex(make):
    """40.096 of 500 at 0.4 on 5x: 200 / 5, and .06 % of the 160 that they are worth at their bankruptcy price."""
    row = Row(**PHEMEX | {"margin": None}, mmr="0.01")
    p = placed(make, row).position("poor", X)
    assert (p.margin, p.bankruptcy_price) == (40, Decimal("0.32"))
    fee = p.size * p.bankruptcy_price * Decimal(row.fee)
    assert p.margin + fee == Decimal(PHEMEX["margin"]) == Decimal("40.096")


BINANCE_CROSS = {"B1": "1153.26", "B2": "26316.89"}


@pytest.mark.parametrize("moved", BINANCE_CROSS, ids=["B3", "B4"])
def test_binance_cross_liquidation_price(make, moved):
    """B1's and B2's positions on one wallet (Binance support pages): each, with the other held at its mark.

    The other's profit and maintenance margin are what section 0 takes into M'.
    """
    rows = {row.id: replace(row, mode="cross") for row in AT_MMR if row.id in BINANCE_CROSS}
    marks = {"B1": "1335.18", "B2": "31967.27"}
    rows["B1"] = replace(rows["B1"], decimals=7)
    rows["B2"] = replace(rows["B2"], decimals=7)
    held = next(each for each in rows if each != moved)
    row, other = rows[moved], rows[held]
    ex = begin(make, [each.instrument(each.id) for each in rows.values()])
    for each in rows.values():
        trade(ex, each.id, 1, each.size, each.entry, each.leverage, "cross")
    balance(ex, row.margin)
    ex.mark(held, marks[held])
    value = Fraction(other.size) * Fraction(marks[held])
    needed = value * Fraction(other.mmr) - Fraction(other.deduction)
    assert abs(Fraction(ex.position("poor", held).maintenance) - needed) <= Fraction(1, 10**7)  # a unit
    margin = Fraction(row.margin) + value - Fraction(other.size) * Fraction(other.entry) - needed
    exact = closed_form(row, row.mmr, margin)
    agree(exact, BINANCE_CROSS[moved])
    found = ex.position("poor", moved).liquidation_price
    assert abs(Fraction(found) - exact) <= row.step
    taken = of(fires(ex, moved, found, 1), EventType.TAKEOVER)
    assert len(taken) == 2, "both, as they share one account"


def test_the_two_stages_of_hyperliquid(make):
    """HL4 (ours): the book below the maintenance margin, at 45,569.6203 the vault below two thirds of it, at 45,378.1513.

    Two thirds of 1.25 % are a first tier's rate, which tiers from the second up are taken over at.
    """
    tiers = Tier("0.5", "0.008333333", "0.025"), Tier(1, "0.0125", "0.025")
    terms = Instrument(X, settle="COIN", contract_size=1, tick="0.001", lot="0.5", tiers=tiers, maker_fee=0, taker_fee=0,
                       max_price=10**5)  # fmt: skip
    ex = begin(make, [terms], replace(BARE, step_tiers=1, fee_cross_full=False))
    trade(ex, X, 1, 1, 50_000, 40, "cross")
    balance(ex, 5_000)
    assert abs(ex.position("poor", X).liquidation_price - Decimal("45569.6203")) <= Decimal("0.001")
    for mark, verdicts in (("45569.621", []), ("45569.62", [Verdict.PARTIAL]), ("45378.152", [Verdict.PARTIAL]),
                           ("45378.151", [Verdict.FULL])):  # fmt: skip
        events = ex.mark(X, mark).events
        assert [e.verdict for e in of(events, EventType.LIQUIDATION)] == verdicts, mark
        assert bool(of(events, EventType.TAKEOVER)) == (mark == "45378.151")


# --- dYdX v4, section 8.1 (x/clob/keeper/liquidations_test.go): BTC at 50,000, ETH at 3,000, maintenance 10 %

BTC, ETH = "BTC", "ETH"
PERP = {"tick": 1, "tiers": flat(1_000, "0.1", 10), "maker_fee": 0, "taker_fee": 0, "settle": "USDC"}
OPENED = {1: (57_000, 4_000), -1: (43_000, 2_000)}
"""Prices of BTC and of ETH at which a long, or a short, was opened: far enough that the account could."""
DYDX = [
    # id, USDC, lots of 0.001 BTC, lots of 0.1 ETH, {instrument: quote that closing it must bring}, share of it that is printed
    ("D1", -4_501, 100, 0, {BTC: 4_501}, 1),
    ("D2", 5_499, -100, 0, {BTC: -5_499}, 1),
    ("D3", -5_000, 100, 0, {BTC: 5_000}, 1),
    ("D3 half", -5_000, 100, 0, {BTC: 2_500}, 2),
    ("D4", 5_000, -100, 0, {BTC: -5_000}, 1),
    ("D4 half", 5_000, -100, 0, {BTC: -2_500}, 2),
    ("D5", -5_100, 100, 0, {BTC: 5_100}, 1),
    ("D6", 4_900, -100, 0, {BTC: -4_900}, 1),
    ("D7", -490, 4, 1, {ETH: 294, BTC: 196}, 1),
    ("D8", 510, -4, -1, {ETH: -306, BTC: -204}, 1),
    ("D9", 110, 4, -1, {ETH: -306, BTC: 196}, 1),
]


@pytest.mark.parametrize("usdc,btc,eth,expected,parts", [row[1:] for row in DYDX], ids=[row[0] for row in DYDX])
def test_dydx_bankruptcy_price(make, usdc, btc, eth, expected, parts):
    """Equity is shared by maintenance margin, and each position is taken over at exactly its share.

    The account's USDC is its wallet less what its positions cost. The sum is nothing: closing all leaves zero.
    """
    ex = begin(make, [Instrument(BTC, contract_size="0.001", **PERP), Instrument(ETH, contract_size="0.1", **PERP)])
    cash = Decimal(usdc)
    for name, size, contract, k in ((BTC, btc, Decimal("0.001"), 0), (ETH, eth, Decimal("0.1"), 1)):
        price = 50_000 if name == BTC and eth else OPENED[1 if size > 0 else -1][k]
        if size:
            trade(ex, name, size, abs(size), price, 10, "cross")
            cash += size * contract * price
        else:
            ex.mark(name, price)
    balance(ex, cash)
    events = ex.mark(ETH, 3_000).events + ex.mark(BTC, 50_000).events
    [trigger] = of(events, EventType.LIQUIDATION)
    assert trigger.own_units == 10**5 * (abs(btc) * 50 + abs(eth) * 300)
    taken = {ex.instruments[e.instrument].name: e for e in of(events, EventType.TAKEOVER)}
    assert {name: Decimal(e.cost_units) / 10**6 / parts for name, e in taken.items()} == expected
    assert usdc + parts * sum(expected.values()) == 0
    for name, contract in ((BTC, Decimal("0.001")), (ETH, Decimal("0.1"))):
        if name in taken:
            assert taken[name].bankruptcy_ticks * taken[name].size_lots * contract / parts == expected[name]
    assert ex.account("poor").equity == 0


@pytest.mark.parametrize(
    "side,entry,margin,printed", [(1, 10_673_500, "10670724.89", 2_776), (-1, 2_000, "775.11", 2_775)], ids=["D10", "D11"]
)
def test_dydx_rounds_for_the_venue(make, side, entry, margin, printed):
    """21,347 quantums of a BTC whose account has -13 (13) USDC: 2,775.11 quote quantums, up for the long, down for the short.

    The whole delta is one contract here and a tick one quote quantum, so that the price rounds as their quote does.
    """
    assert Fraction(13 * 10**6 * 21_347, 10**8) == Fraction("2775.11") == entry - side * Fraction(margin)
    row = Row(id="D", source="dydxprotocol/v4-chain", tick="1", decimals=2, side=side, size="1", entry=str(entry), leverage=10,
              margin=margin)  # fmt: skip
    assert placed(make, row).position("poor", X).bankruptcy_price == printed


def test_dydx_cannot_go_bankrupt(make):
    """D12: 1 USDC and a long of 1 BTC: closing it may cost 1."""
    ex = begin(make, [Instrument(BTC, contract_size="0.001", **PERP)])
    trade(ex, BTC, 1, 1_000, 50_000, 1, "cross")
    balance(ex, 50_001)
    p = ex.position("poor", BTC)
    assert p.bankruptcy_price * p.size * Decimal("0.001") == -1 and p.liquidation_price is None
