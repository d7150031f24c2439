"""A part of a position closed in its trader's name: by cure and by fraction (loss policies, sections 1.3 and 1.4).

The base case of that page: an isolated long of 100 lots from 10,000 at mark 9,300. It asks for 18,600, 2 % of 930,000.
"""

from dataclasses import replace

import pytest

import solvent
from solvent import Instrument, OrderLimits, Tier, rules
from solvent.records import EventType, Verdict

X = "X-USDT-SWAP"
UNIT = 10**6
BARE = {"maker_fee": 0, "taker_fee": 0}
FREE = dict.fromkeys(("fee_isolated_low", "fee_isolated_full", "fee_isolated_own"), False)
CURE = {"partial": "cure", "takeover_times": 0, "takeover_parts": 1}
FRACTION = {
    "partial": "fraction", "partial_share_ppb": 2 * 10**8, "partial_cooldown_ns": 30 * 10**9, "takeover_times": 2,
    "takeover_parts": 3,
}  # fmt: skip


def usdt(units):
    return f"{units / UNIT:.6f}"


def base_case(strict_exchange, margin, bids, fee=0, limits=None, **policy):
    """The base case at mark 10,000, with bids below. `short` holds the other side."""
    tiers = [Tier(10**6, "0.02", "0.02")]
    listed = Instrument(
        X, tick=1, contract_size="0.000001", max_price=100_000, tiers=tiers, liquidation_fee=fee, order_limits=limits, **BARE
    )
    terms = FREE | {"price_band_ppb": 10**9 - 1} | policy
    ex = strict_exchange([listed], rules=replace(rules.find("seed"), **terms))
    for name in ("long", "short", "bidder"):
        ex.open_account(name)
        ex.deposit(name, "USDT", usdt(margin) if name == "long" else 10)
        ex.set_leverage(name, X, 50, mode="isolated" if name == "long" else "cross")
    ex.mark(X, 10_000)
    ex.order("short", X, "sell", 100, price=10_000).ok()
    ex.order("long", X, "buy", 100, price=10_000).ok()
    ex.move_margin("long", X, usdt(margin - 20_000))
    for lots, price in bids:
        ex.order("bidder", X, "buy", lots, price=price).ok()
    return ex


def asked(ack):
    """The sizes of orders in the trader's name, and the lots that traded."""
    steps = [e.size_lots for e in ack.events if e.type == EventType.STEP_DOWN]
    return steps, [e.size_lots for e in ack.events if e.type == EventType.TRADE]


def left(ex):
    """Lots and equity of the long."""
    p = ex.account("long").positions[X]
    return p.size, int((p.margin + p.upl) * UNIT)


# --- cure


@pytest.mark.parametrize(("fee", "buffer", "lots", "equity"), [
    (0, 0, 47, 10_000), ("0.001", 0, 49, 9_544), (0, 10**8, 52, 10_000),
])  # fmt: skip
def test_the_fewest_lots_that_cure(strict_exchange, fee, buffer, lots, equity):
    """Section 1.4: 8,600/186 = 46.2, so 47; 49 with a fee of .1 %, which is 456; 52 with a buffer of 10 %."""
    ex = base_case(strict_exchange, 80_000, [(100, 9_300)], fee, cure_buffer_ppb=buffer, **CURE)
    assert asked(ex.mark(X, 9_300)) == ([lots], [lots])
    assert left(ex) == (100 - lots, equity)
    assert int(ex.fund("USDT") * UNIT) == 10_000 - equity


def test_a_cure_below_the_mark_asks_for_another(strict_exchange):
    """47 lots at 9,280 cost 940: 9,060 is below the 9,858 of the rest. Five more leave 8,960 against 8,928."""
    ex = base_case(strict_exchange, 80_000, [(100, 9_280)], **CURE)
    assert asked(ex.mark(X, 9_300)) == ([47, 5], [47, 5])
    assert left(ex) == (48, 8_960)


def test_a_cure_without_a_fill_waits_for_the_next_mark(strict_exchange):
    ex = base_case(strict_exchange, 80_000, [(10, 9_300)], **CURE)
    assert asked(ex.mark(X, 9_300)) == ([47, 37], [10])
    assert asked(ex.order("bidder", X, "buy", 1, price=9_000)) == ([], [])
    ex.order("bidder", X, "buy", 90, price=9_300).ok()
    assert asked(ex.mark(X, 9_300)) == ([37], [37])


def test_no_cure_sells_all(strict_exchange):
    """A fee of 2 % is all that the margin asks for, so no part cures: 100 lots are offered, at the price that pays the fee."""
    ex = base_case(strict_exchange, 80_000, [(100, 9_300)], "0.02", **CURE)
    steps, _ = asked(ex.mark(X, 9_300))
    assert steps == [100]


def test_what_is_left_is_worth_an_order(strict_exchange):
    """53 lots are worth 492,900: an instrument whose orders are worth 500,000 at least has all of them sold."""
    limits = OrderLimits(least_notional="0.5")
    ex = base_case(strict_exchange, 80_000, [(100, 9_300)], limits=limits, **CURE)
    assert asked(ex.mark(X, 9_300))[0] == [100]


def test_below_zero_the_house_takes_over(strict_exchange):
    ex = base_case(strict_exchange, 70_000, [], **CURE)
    [e] = [e for e in ex.mark(X, 9_300).events if e.type == EventType.LIQUIDATION]
    assert (e.verdict, e.equity_units, e.full_units, e.own_units) == (Verdict.PARTIAL, 0, 0, 18_600)
    ex = base_case(strict_exchange, 69_999, [], **CURE)
    [e] = [e for e in ex.mark(X, 9_300).events if e.type == EventType.LIQUIDATION]
    assert (e.verdict, e.equity_units) == (Verdict.FULL, -1)


# --- fraction


def test_a_fifth_then_all_within_the_cooldown(strict_exchange):
    """Section 1.3: 20 lots at 9,280 leave 13,600 below 14,880; two seconds later 80 are offered and 60 fill: 11,600 stay."""
    ex = base_case(strict_exchange, 84_000, [(20, 9_280)], **FRACTION)
    assert asked(ex.mark(X, 9_300)) == ([20], [20])
    assert left(ex) == (80, 13_600)
    ex.order("bidder", X, "buy", 60, price=9_270).ok()
    ex.advance(2 * 10**9)
    assert asked(ex.mark(X, 9_290)) == ([80], [60])
    assert left(ex) == (20, 11_600)
    assert ex.fund("USDT") == 0


@pytest.mark.parametrize(("after_ns", "lots"), [(30 * 10**9 - 1, 80), (30 * 10**9, 16)])
def test_the_cooldown_ends_with_its_last_nanosecond(strict_exchange, after_ns, lots):
    ex = base_case(strict_exchange, 84_000, [(20, 9_280)], **FRACTION)
    ex.mark(X, 9_300)
    ex.advance(after_ns)
    assert asked(ex.mark(X, 9_300))[0] == [lots]


def test_the_cooldown_is_the_accounts(strict_exchange):
    """Another position of the same account is closed wholly within it, and one of another account is not."""
    tiers = [Tier(10**6, "0.02", "0.02")]
    markets = [
        Instrument(n, tick=1, contract_size="0.000001", max_price=100_000, tiers=tiers, liquidation_fee=0, **BARE)
        for n in "AB"
    ]
    ex = strict_exchange(markets, rules=replace(rules.find("seed"), price_band_ppb=10**9 - 1, **FREE, **FRACTION))
    for name in ("one", "two", "short"):
        ex.open_account(name)
        ex.deposit(name, "USDT", 10 if name == "short" else usdt(168_000))
    for name, market in (("one", "A"), ("one", "B"), ("two", "B")):
        ex.set_leverage(name, market, 50, mode="isolated")
        ex.mark(market, 10_000)
        ex.order("short", market, "sell", 100, price=10_000).ok()
        ex.order(name, market, "buy", 100, price=10_000).ok()
        ex.move_margin(name, market, usdt(64_000))
    assert asked(ex.mark("A", 9_300))[0] == [20]
    assert asked(ex.mark("B", 9_300))[0] == [100, 20]


@pytest.mark.parametrize(("above", "lots"), [(929_999, 20), (930_000, 100)])
def test_a_small_position_is_closed_wholly(strict_exchange, above, lots):
    """The value has to be above the threshold (strictly)."""
    ex = base_case(strict_exchange, 84_000, [], partial_above_units=above, **FRACTION)
    assert asked(ex.mark(X, 9_300))[0] == [lots]


@pytest.mark.parametrize(("margin", "verdict"), [(82_400, Verdict.PARTIAL), (82_399, Verdict.FULL)])
def test_below_two_thirds_the_vault_takes_over(strict_exchange, margin, verdict):
    """Section 1.3: 2/3 of 18,600 is 12,400. The fund stands for the vault and gets what the position brings."""
    ex = base_case(strict_exchange, margin, [(100, 9_280)], **FRACTION)
    [e] = [e for e in ex.mark(X, 9_300).events if e.type == EventType.LIQUIDATION]
    assert (e.verdict, e.full_units) == (verdict, 12_400)
    if verdict == Verdict.FULL:
        assert ex.account("long").wallets["USDT"].cash == 0 and ex.fund("USDT") * UNIT == 12_399 - 2_000


def test_a_fraction_rounds_up(strict_exchange):
    ex = base_case(strict_exchange, 84_000, [], **FRACTION | {"partial_share_ppb": 200_000_001})
    assert asked(ex.mark(X, 9_300))[0] == [21]


def test_explain_says_what_would_happen(strict_exchange):
    ex = base_case(strict_exchange, 84_000, [], **FRACTION)
    ex.mark(X, 9_300)
    assert "20 % of the largest position, or all of it, is sold" in str(ex.explain("long"))


# --- what is refused


@pytest.mark.parametrize(("said", "why"), [
    ({"partial": "half"}, "partial is one of tiers, cure, fraction"),
    ({"takeover_parts": 3}, "does nothing with partial='tiers'"),
    (CURE | {"partial_share_ppb": 1}, "partial_share_ppb does nothing with partial='cure'"),
    (CURE | {"takeover_times": 1}, "takeover_times below takeover_parts"),
    (CURE | {"takeover_parts": 0}, "takeover_times below takeover_parts"),
    (CURE | {"takeover_parts": 1.5}, "takeover_parts is an int from 0"),
    (FRACTION | {"partial_share_ppb": 0}, "needs partial_share_ppb"), (FRACTION | {"partial_cooldown_ns": -1}, "from 0 to 10"),
    (FRACTION | {"cure_buffer_ppb": 1}, "cure_buffer_ppb does nothing"),
    (CURE | {"fee_at": "bankruptcy", "funding_cap": False}, "fee_at='mark'"),
])  # fmt: skip
def test_numbers_that_do_not_fit_are_refused(said, why):
    with pytest.raises(solvent.InputError, match=why):
        replace(rules.find("seed"), **said)
