"""Other currencies as margin: what they count, what they allow, when and in which order they are converted."""

from decimal import Decimal

import pytest

from solvent import Code, Collateral, EventType, Exchange, InputError, Instrument, Rejected, Tier
from solvent.records import Posting, Purse

X, ETH = "X", "ETH-USDT"
TERMS = {
    "contract_size": 1,
    "tick": 1,
    "max_price": 100_000,
    "maker_fee": 0,
    "taker_fee": 0,
    "tiers": [Tier(1_000, "0.01", "0.02")],
}
BACK = [
    Collateral("SOL", of="USDT", price=ETH, haircut="0.5", decimals=2),
    Collateral("ETH", of="USDT", price=ETH, haircut="0.1"),
]


@pytest.fixture
def ex(make):
    """alice: 10 USDT and 1 ETH at 1,000 with a haircut of 10 %; bob takes the other side."""
    ex = make([Instrument(X, **TERMS), Instrument(ETH, **TERMS)], collateral=BACK)
    ex.deposit("bob", "USDT", 10**6)
    ex.deposit("alice", "USDT", 10)
    ex.deposit("alice", "ETH", 1)
    ex.mark(X, 1_000)
    ex.mark(ETH, 1_000)
    return ex


def hold(ex, size, price=1_000):
    ex.set_leverage("alice", X, 10, mode="cross")
    ex.order("bob", X, "sell", size, price=price).ok()
    return ex.order("alice", X, "buy", size, price=price)


def conversions(events):
    return [
        (e.payer, e.receiver, e.amount_units) for e in events if e.type == EventType.LEDGER and e.posting == Posting.CONVERTED
    ]


def test_what_it_counts(ex):
    w = ex.account("alice").wallets["USDT"]
    assert (w.cash, w.collateral, w.equity, w.free, w.withdrawable) == (10, 900, 910, 910, 10)
    ex.index(ETH, 900)  # an index goes before a mark
    assert ex.account("alice").wallets["USDT"].collateral == 810
    (row,) = [row for row in ex.accounts_array() if row["account"] == 17 and row["currency"] == 0]
    assert row["collateral_units"] == 810 * 10**6


def test_it_bears_orders_and_positions(ex):
    """Initial margin of 9 contracts is 900; of 10 it is 1,000, which there is not."""
    assert hold(ex, 10).code == Code.INSUFFICIENT_MARGIN
    ex.cancel_all("bob")
    assert hold(ex, 9).filled == 9
    p = ex.position("alice", X)
    assert p.margin_ratio == Decimal("0.101111111") and p.liquidation_price is not None


def test_what_positions_need_stays(ex):
    """Of 910 free, 500 are initial margin: 410 of the 900 may go, which are .455 ETH and a little."""
    hold(ex, 5)
    with pytest.raises(Rejected) as refused:
        ex.withdraw("alice", "ETH", "0.4556")
    assert refused.value.code == Code.INSUFFICIENT_BALANCE
    ex.withdraw("alice", "ETH", "0.4555")
    ex.open_account("sub", parent="alice")
    with pytest.raises(Rejected):
        ex.transfer("alice", "sub", "ETH", "0.01")


def test_the_price_of_collateral_endangers(ex):
    """9 contracts at 1,000 ask 90; at an ETH price of 88 it counts 79.2, with 10 in cash."""
    hold(ex, 9)
    assert not [e for e in ex.mark(ETH, 89).events if e.type == EventType.LIQUIDATION]
    events = ex.mark(ETH, 88).events
    (found,) = [e for e in events if e.type == EventType.LIQUIDATION]
    assert (found.account, found.equity_units, found.own_units) == (17, 89_200_000, 90_000_000)
    assert conversions(events) == [(17, Purse.CONVERTER, 10**8), (Purse.CONVERTER, 17, 79_200_000)]
    wallets = ex.account("alice").wallets
    assert wallets["ETH"].cash == wallets["USDT"].cash == 0


def test_the_smallest_haircut_is_converted_first(ex):
    """A wallet below zero without a position: ETH covers it whole, so SOL stays."""
    ex.deposit("alice", "SOL", 1)
    hold(ex, 1)
    ex.mark(X, 800)
    ex.order("bob", X, "buy", 1, price=800).ok()
    events = ex.order("alice", X, "sell", 1, price=800).events  # a loss of 200, and 10 in cash
    assert conversions(events) == [(17, Purse.CONVERTER, 10**8), (Purse.CONVERTER, 17, 900 * 10**6)]
    wallets = ex.account("alice").wallets
    assert (wallets["USDT"].cash, wallets["ETH"].cash, wallets["SOL"].cash) == (710, 0, 1)
    assert ex.fund("USDT") == ex.deficit("USDT") == 0


def test_what_counts_is_bounded(ex):
    """Found by a stream of commands: conversions of boundless balances left 64 bits together."""
    ex.deposit("alice", "SOL", 10**14)
    assert ex.account("alice").wallets["USDT"].collateral == Decimal(2**54) / 10**6 + 900


def test_nothing_counts_without_a_price(make):
    ex = make([Instrument(X, **TERMS), Instrument(ETH, **TERMS)], collateral=BACK)
    ex.deposit("alice", "ETH", 1)
    assert ex.account("alice").wallets["USDT"].collateral == 0
    ex.withdraw("alice", "ETH", 1)


@pytest.mark.parametrize(
    "terms,what",
    [
        ({"currency": "USDT"}, "no contract settles"), ({"of": "BTC"}, "currency of contracts"),
        ({"price": "nobody"}, "linear instrument"), ({"haircut": "1.5"}, "rate"), ({"decimals": 19}, "from 0 to 18"),
    ],
)  # fmt: skip
def test_terms_that_do_not_go_together(terms, what):
    terms = {"currency": "ETH", "of": "USDT", "price": ETH, "haircut": "0.1"} | terms
    with pytest.raises(InputError, match=what):
        Exchange([Instrument(X, **TERMS), Instrument(ETH, **TERMS)], collateral=[Collateral(terms.pop("currency"), **terms)])


def test_contracts_do_not_come_to_settle_in_it(ex):
    with pytest.raises(Rejected) as refused:
        ex.add_instrument(Instrument("E", settle="ETH", settle_decimals=8, **TERMS | {"max_price": 10_000}))
    assert refused.value.code == Code.UNKNOWN_CURRENCY
