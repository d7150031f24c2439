"""Other currencies as margin: what they count, what they allow, when and in which order they are converted."""

from dataclasses import replace
from decimal import Decimal

import pytest

from solvent import Code, Collateral, EventType, Exchange, InputError, Instrument, Rejected, rules
from solvent.records import Ending, Posting, Purse
from support.coins import BTC, COIN, COIN_BACKS, COINS, ETH, TERMS, X, take

BACK = [
    Collateral("SOL", of="USDT", price=ETH, haircut="0.5", decimals=2),
    Collateral("ETH", of="USDT", price=ETH, haircut="0.1"),
]


@pytest.fixture
def ex(strict_exchange):
    """alice: 10 USDT and 1 ETH at 1,000 with a haircut of 10 %; bob takes the other side."""
    ex = strict_exchange([Instrument(X, **TERMS), Instrument(ETH, **TERMS)], collateral=BACK)
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


def test_nothing_counts_without_a_price(strict_exchange):
    ex = strict_exchange([Instrument(X, **TERMS), Instrument(ETH, **TERMS)], collateral=BACK)
    ex.deposit("alice", "ETH", 1)
    assert ex.account("alice").wallets["USDT"].collateral == 0
    ex.withdraw("alice", "ETH", 1)


@pytest.mark.parametrize(
    "terms,what",
    [
        ({"currency": "USDT"}, "backs none itself"), ({"of": "BTC"}, "currency of contracts"),
        ({"price": "nobody"}, "linear instrument"), ({"haircut": "1.5"}, "rate"), ({"decimals": 19}, "from 0 to 18"),
    ],
)  # fmt: skip
def test_terms_that_do_not_go_together(terms, what):
    terms = {"currency": "ETH", "of": "USDT", "price": ETH, "haircut": "0.1"} | terms
    with pytest.raises(InputError, match=what):
        Exchange([Instrument(X, **TERMS), Instrument(ETH, **TERMS)], collateral=[Collateral(terms.pop("currency"), **terms)])


# --- Of a currency in which contracts settle


@pytest.fixture
def both(strict_exchange):
    """alice: one BTC at 50,000 with a haircut of 10 %, and no USDT; bob has much of both."""
    ex = strict_exchange(COINS, collateral=COIN_BACKS, rules=replace(rules.find("seed"), price_band_ppb=10**9 - 1))
    for currency, amount in (("USDT", 10**7), ("BTC", 10**3)):
        ex.deposit("bob", currency, amount)
    ex.deposit("alice", "BTC", 1)
    for name, price in ((X, 1_000), (BTC, 50_000), (COIN, 50_000)):
        ex.mark(name, price)
    return ex


def counted(ex):
    return ex.account("alice").wallets["USDT"].collateral


def test_what_its_contracts_leave_counts(both):
    """10,000 contracts of 1 USD at 50,000 are .2 BTC: .02 of initial margin at 10x; a loss counts too, a profit bears that."""
    assert counted(both) == 45_000
    assert take(both, COIN, "buy", 10_000, 50_000).filled == 10_000
    assert counted(both) == Decimal("0.98") * 45_000
    both.mark(COIN, 40_000)  # a loss of .05, and .025 of initial margin
    assert counted(both) == Decimal("0.925") * 45_000
    both.mark(COIN, 80_000)  # a profit of .075, and .0125
    assert counted(both) == 45_000
    wallets = both.account("alice").wallets
    assert wallets["BTC"].withdrawable == Decimal("0.9875") and wallets["USDT"].withdrawable == 0
    both.order("alice", COIN, "buy", 8_000, price=80_000).ok()  # rests, and holds .01
    assert counted(both) == Decimal("0.99") * 45_000


def test_what_positions_elsewhere_need_is_not_to_be_reserved(both):
    """440 of X at 1,000 ask 44,000 of 45,000: a thousand, which are .0222 BTC, is left."""
    assert take(both, X, "buy", 440, 1_000).filled == 440
    assert take(both, COIN, "buy", 12_000, 50_000).code == Code.INSUFFICIENT_MARGIN  # .024
    both.cancel_all("bob")
    assert both.order("alice", COIN, "sell", 12_000, price=51_000).code == Code.INSUFFICIENT_MARGIN
    assert take(both, COIN, "buy", 11_000, 50_000).filled == 11_000  # .022
    with pytest.raises(Rejected) as refused:
        both.set_leverage("alice", COIN, 9, mode="cross")
    assert refused.value.code == Code.INSUFFICIENT_MARGIN
    with pytest.raises(Rejected) as refused:
        both.withdraw("alice", "BTC", "0.00023")
    assert refused.value.code == Code.INSUFFICIENT_BALANCE
    both.withdraw("alice", "BTC", "0.00022")


def test_an_isolated_margin_of_it_is_not_what_others_need(both):
    both.deposit("alice", "BTC", "0.1")
    assert take(both, COIN, "buy", 10_000, 50_000, mode="isolated").filled == 10_000  # .02 of 1.1
    assert take(both, X, "buy", 480, 1_000).filled == 480  # 48,000 of 48,600
    with pytest.raises(Rejected) as refused:
        both.move_margin("alice", COIN, "0.014")
    assert refused.value.code == Code.INSUFFICIENT_BALANCE
    both.move_margin("alice", COIN, "0.013")


def test_a_mark_of_its_contracts_endangers_what_it_backs(both):
    """440 of X at 900 have lost 44,000 and ask 3,960: 47,960 have to count. 50,000 coin contracts at 50x ask .02 of a BTC."""
    both.deposit("alice", "BTC", "0.2")
    take(both, X, "buy", 440, 1_000)
    take(both, COIN, "buy", 50_000, 50_000, 50)
    both.mark(X, 900)
    assert counted(both) == Decimal("1.18") * 45_000
    assert not [e for e in both.mark(COIN, 45_000).events if e.type == EventType.LIQUIDATION]
    events = both.mark(COIN, 44_900).events  # 2.2 - 1.02 * 50,000 / 44,900 are 1.0641, which count 47,885
    (found,) = [e for e in events if e.type == EventType.LIQUIDATION]
    assert found.currency == 0 and found.account == both.account("alice").account_id
    assert [e.amount_units for e in events if e.type == EventType.LEDGER and e.posting == Posting.CONVERTED][0] < 1.2 * 10**10
    assert both.position("alice", X).size == 0 and both.position("alice", COIN).size == 50_000
    wallet = both.account("alice").wallets["BTC"]
    assert wallet.free == 0 and wallet.equity > wallet.maintenance


def test_orders_that_its_losses_uncover_end_when_they_would_trade(both):
    """A closing order far below mark is never refused; what rests elsewhere and can no longer be borne ends."""
    take(both, COIN, "buy", 40_000, 50_000, 50)  # .8 BTC, .016 of initial
    order = both.order("alice", X, "buy", 430, price=1_000).ok()  # holds 43,000 of 44,280
    both.order("bob", COIN, "buy", 40_000, price=46_000).ok()
    both.order("alice", COIN, "sell", 40_000, price=46_000, tif="ioc").ok()
    both.mark(X, 910)
    events = both.order("bob", X, "sell", 430, price=910, tif="ioc").events
    assert [e.order_id for e in events if e.type == EventType.DONE and e.ending == Ending.UNCOVERED] == [order.order_id]


def test_orders_in_it_are_cancelled_first_and_may_cure_what_it_backs(both):
    """440 of X at 907 have lost 40,920 and ask 3,990.8. The order holds .0102 BTC, so 44,540.8 count: too little by 370.
    Without it 45,000 count, and nobody is taken over."""
    take(both, X, "buy", 440, 1_000)
    order = both.order("alice", COIN, "buy", 5_000, price=49_000).ok()
    assert not [e for e in both.mark(X, 908).events if e.type == EventType.LIQUIDATION]
    events = both.mark(X, 907).events
    assert [e.equity_units - e.own_units for e in events if e.type == EventType.LIQUIDATION] == [-369_983_677]
    assert [(e.order_id, e.ending) for e in events if e.type == EventType.DONE] == [(order.order_id, Ending.LIQUIDATED)]
    assert both.position("alice", X).size == 440 and counted(both) == 45_000 and not conversions(events)


@pytest.mark.parametrize("cap", [True, False])
def test_funding_of_its_contracts_liquidates_nobody_elsewhere(strict_exchange, cap):
    """440 of X, 42,400 down, have 2,600 and ask 3,960 less; of funding only what leaves them that is taken."""
    ex = strict_exchange(COINS, collateral=COIN_BACKS, rules=replace(rules.find("seed"), funding_cap=cap))
    for currency, amount in (("USDT", 10**7), ("BTC", 10**3)):
        ex.deposit("bob", currency, amount)
    ex.deposit("alice", "BTC", 1)
    for name, price in ((X, 1_000), (BTC, 50_000), (COIN, 50_000)):
        ex.mark(name, price)
    take(ex, X, "buy", 420, 1_000)
    take(ex, COIN, "buy", 20_000, 50_000)  # .4 BTC, .04 of initial: .96 count 43,200
    ex.mark(X, 910)  # a loss of 37,800; 3,822 are asked, 1,578 are left: .03506... BTC
    before = ex.account("alice").wallets["BTC"].cash
    events = ex.settle_funding(COIN, "0.1", period=1).events
    paid = before - ex.account("alice").wallets["BTC"].cash
    assert bool([e for e in events if e.type == EventType.LIQUIDATION]) is not cap
    if cap:
        assert paid == Decimal("0.0350666666")
        ex.mark(COIN, 50_000)
        assert ex.position("alice", X).size == 420


def test_a_currency_that_comes_to_have_contracts(strict_exchange):
    """An instrument that is added may settle in a currency that backs, or that was named; its precision stays."""
    ex = strict_exchange(COINS[:2], collateral=COIN_BACKS, currencies={"EUR": 2})
    ex.deposit("alice", "BTC", 1)
    ex.deposit("alice", "EUR", "0.05")
    ex.mark(BTC, 50_000)
    with pytest.raises(InputError, match="decimals"):
        ex.add_instrument(replace(COINS[2], settle_decimals=9))
    ex.add_instrument(COINS[2])
    ex.add_instrument(Instrument("E", settle="EUR", settle_decimals=2, **TERMS))
    with pytest.raises(Rejected) as refused:
        ex.add_instrument(Instrument("F", settle="GBP", settle_decimals=2, **TERMS))
    assert refused.value.code == Code.UNKNOWN_CURRENCY
    ex.mark(COIN, 50_000)
    ex.order("alice", COIN, "buy", 10_000, price=50_000).ok()
    assert counted(ex) == Decimal("0.98") * 45_000


@pytest.mark.parametrize("terms,what", [
    ({"currencies": {"EUR": 19}}, "from 0 to 18"), ({"currencies": {"USDT": 2}}, "unit"), ({"currencies": {"": 2}}, "name"),
    ({"collateral": [replace(COIN_BACKS[0], decimals=8)]}, "unit"),
    ({"collateral": COIN_BACKS * 2}, "backs one other"),
    ({"collateral": [*COIN_BACKS, Collateral("ETH", of="BTC", price=BTC, haircut=0)]}, "backs none itself"),
])  # fmt: skip
def test_currencies_that_do_not_go_together(terms, what):
    with pytest.raises(InputError, match=what):
        Exchange(COINS, **terms)
