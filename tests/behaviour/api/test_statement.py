"""Statements: what was paid and got by reason, tied to the ledger after every command.

The kernel's own balances are the oracle of every sum; a TRADE is counted here once more, from its event alone.
"""

import json
from collections import Counter, defaultdict
from decimal import Decimal

import pytest

from solvent import EventsDropped, EventType, Exchange, InputError, Instrument, Rejected, Tier
from solvent import open as open_journal
from solvent.records import CommandType, Purse
from solvent.witness.sums import NEEDS, REASONS
from support.generator import Generator

X = Instrument("X", contract_size=1, tick=1, max_price=10_000, tiers=[Tier(1_000, "0.01", "0.02")], maker_fee="-0.0001")
FIRST_USER = 16


def traded(base, **terms):
    """Alice buys isolated of bob, pays funding, and is liquidated; carol buys what she loses."""
    ex = base([X], **terms)
    ex.seed_fund("USDT", 500)
    for name in ("alice", "bob", "carol"):
        ex.deposit(name, "USDT", 1_000)
    ex.mark("X", 1_000)
    ex.set_leverage("alice", "X", 20, mode="isolated")
    ex.order("bob", "X", "sell", 5, price=1_000).ok()
    ex.order("alice", "X", "buy", 5, price=1_000).ok()
    ex.settle_funding("X", "0.001", 1)
    ex.withdraw("bob", "USDT", 7)
    ex.open_account("carol/desk", parent="carol")
    ex.transfer("carol", "carol/desk", "USDT", 50)
    ex.order("carol", "X", "buy", 5, price=960).ok()
    ex.mark("X", 958)
    return ex


def test_every_reason_of_a_small_world(exchange_class):
    ex = traded(exchange_class)
    alice, bob, carol, desk = map(ex.statement, ("alice", "bob", "carol", "carol/desk"))
    assert (alice.deposits, alice.fees, alice.funding_paid, alice.taken_over) == (1_000, Decimal("2.5"), 5, 245)
    assert alice.balance == alice.cash == ex.account("alice").cash and alice.margin == 0
    assert (bob.rebates, bob.funding_received, bob.withdrawals) == (Decimal("0.5"), 5, 7)
    assert (carol.transfers, desk.transfers, carol.rebates) == (-50, 50, Decimal("0.48"))
    assert (alice.trades, alice.notional, carol.trades, carol.notional) == (1, 5_000, 1, 4_800)
    assert alice.instruments["X"].contracts == 5 and carol.instruments["X"].contracts == 5
    fees, fund = ex.statement("<fees>"), ex.statement(int(Purse.FUND))
    assert (fees.fees, fees.rebates, fees.balance) == (Decimal("-2.5"), Decimal("-0.98"), Decimal("1.52"))
    assert (fund.account, fund.house, fund.balance) == ("<fund>", ex.fund("USDT"), ex.fund("USDT"))
    assert not any(isinstance(each, float) for each in alice.to_dict()["currencies"]["USDT"].values())
    assert json.loads(json.dumps(bob.to_dict()))["currencies"]["USDT"]["withdrawals"] == "7"


def test_a_deleveraging_is_told_apart(exchange_class):
    """Nobody buys what alice loses, and there is no fund: bob's short is closed at her bankruptcy price."""
    ex = exchange_class([X])
    for name in ("alice", "bob"):
        ex.deposit(name, "USDT", 1_000)
    ex.mark("X", 1_000)
    ex.set_leverage("alice", "X", 20, mode="isolated")
    ex.order("bob", "X", "sell", 5, price=1_000).ok()
    ex.order("alice", "X", "buy", 5, price=1_000).ok()
    ex.mark("X", 940)
    bob = ex.statement("bob").instruments["X"]
    assert (bob.adls, bob.adl_contracts, bob.adl, bob.realised, bob.contracts) == (1, 5, 250, 0, 5)
    assert "deleveraged" in repr(bob := ex.statement("bob")) and "adl" in repr(bob)


def test_a_statement_reads_well(exchange_class):
    assert repr(traded(exchange_class).statement("alice")) == (
        "statement of alice to event 64\n"
        "  USDT\n"
        "    deposits      1000\n"
        "    fees          -2.5\n"
        "    funding paid  -5\n"
        "    taken over    -245\n"
        "    balance       747.5\n"
        "    traded        5000 in 1 trade\n"
        "  X\n"
        "    fees          -2.5\n"
        "    funding paid  -5\n"
        "    taken over    -245\n"
        "    traded        5 contracts, 5000 in 1 trade"
    )


def ties(ex, notional, trades):
    """Every sum against the kernel's balances, every reason against zero, volumes against the trades themselves."""
    zero: defaultdict[tuple[str, str], Decimal] = defaultdict(Decimal)
    volume: Counter[str] = Counter()
    kernel, names = ex._kernel, list(ex.currencies)
    for account in [*range(8), *range(FIRST_USER, kernel.account_count)]:
        told = ex.statement(account)
        margins = Counter()
        for instrument, _, _, _, margin, *_ in kernel.positions(account) if account >= FIRST_USER else ():
            margins[ex.instruments[instrument].settle] += margin
        for i, name in enumerate(names):
            row, cash = told.currencies.get(name), kernel.wallet(account, i)[0]
            if row is None:
                assert cash == margins[name] == 0
                continue
            unit = ex.currencies[name]
            assert (row.cash, row.margin) == (cash * unit, margins[name] * unit), (account, name)
            assert row.balance == sum(sign * getattr(row, reason) for reason, sign in REASONS.items())
            assert account < FIRST_USER or row.house == 0
            volume[name] += row.notional
            for reason in REASONS:
                zero[name, reason] += getattr(row, reason)
                parts = [each for each in told.instruments.values() if each.currency == name]
                left = getattr(row, reason) - sum(getattr(each, reason) for each in parts)
                assert left == 0 or reason not in ("fees", "rebates", "liquidation_fees", "realised", "adl", "funding_paid")
            assert row.trades == sum(each.trades for each in parts)
        volume["trades"] += sum(row.trades for row in told.currencies.values())
    assert not any(zero.values()), zero
    assert volume["trades"] == 2 * trades and all(volume[name] == 2 * notional[name] * ex.currencies[name] for name in names)


def values_of(ex, events):
    """The value of trades by currency in units, and their number, from what a contract is."""
    found: Counter[str] = Counter()
    for e in events:
        if e.type == EventType.TRADE:
            terms = ex.instruments[e.instrument]
            units, price = e.size_lots * terms.spec.units, e.price_ticks
            if terms.kind == "inverse":
                buyer, seller = (e.maker, e.taker) if e.side else (e.taker, e.maker)
                found[terms.settle] += -(-units // price) if buyer == Purse.HOUSE != seller else units // price
            else:
                found[terms.settle] += units * price
            found[""] += 1
    return found


@pytest.mark.parametrize("shape", range(12))
def test_statements_tie_after_every_command(exchange_class, seed, shape):
    """Purses and accounts of drawn streams: all reasons sum to zero, each statement is its balance."""
    generator = Generator(seed * 1_009 + shape)
    ex = exchange_class(generator.instruments, rules=generator.rules, collateral=generator.collateral, retain=bool(shape % 2))
    seen, counts = ex.cursor(), Counter()
    ex.statement("<fees>")  # from here on everything is counted
    opening = iter(generator.opening())
    for _ in range(300):
        record = next(opening, None) or generator.next(ex._kernel)
        ex.venue.coming = generator.candidate
        code = ex._kernel.apply(record)
        if (record[0], code) == (CommandType.ADD_INSTRUMENT, 0):
            generator.added()
        counts += values_of(ex, seen)
        ties(ex, counts, counts[""])
    assert counts[""], "nothing was traded"


def test_dropped_events_are_told(exchange_class):
    ex = traded(exchange_class, retain=False)
    with pytest.raises(EventsDropped, match="record"):
        ex.statement("alice")
    fresh = exchange_class([X], retain=False)
    assert fresh.statement("<fund>").balance == 0
    fresh.deposit("alice", "USDT", 5)
    assert fresh._kernel.first_seq == 1 and fresh.statement("alice").deposits == 5
    fresh.deposit("alice", "USDT", 5)
    assert fresh._kernel.first_seq > 1, "what was counted is let go"
    assert fresh.statement("alice").deposits == 10


def test_kept_commands_stand_for_dropped_events(tmp_path):
    """A recording or a journal is replayed once; what comes then is counted as usual."""
    recorded = Exchange([X], retain=False)
    recorded.record()
    opened = open_journal(tmp_path / "journal", [X])
    for ex in (recorded, opened):
        for name in ("alice", "bob"):
            ex.deposit(name, "USDT", 1_000)
        assert ex._kernel.first_seq > 1 and ex.statement("alice").deposits == 1_000
        ex.deposit("alice", "USDT", 5)
        assert ex.statement("alice").deposits == 1_005
    opened.close()
    late = Exchange([X], retain=False)
    late.deposit("alice", "USDT", 1)
    late.deposit("alice", "USDT", 1)
    late.record()
    with pytest.raises(EventsDropped, match="after command 3"):
        late.statement("alice")


def test_an_interrupted_count_begins_anew(exchange_class, monkeypatch):
    """What was read before a signal came is not counted twice."""
    ex = traded(exchange_class)
    whole = repr(ex.statement("alice"))
    ex.deposit("alice", "USDT", 3)

    def interrupted(sums, events, venue):
        for _ in events:
            raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("solvent.witness.sums.Sums.read", interrupted)
        with pytest.raises(KeyboardInterrupt):
            ex.statement("alice")
    assert ex.statement("alice").deposits == 1_003 and whole != repr(ex.statement("alice"))


def test_types_that_are_not_written_are_told(exchange_class):
    ex = exchange_class([X], log=[each for each in NEEDS if each != EventType.FUNDED])
    with pytest.raises(InputError, match="add FUNDED to log"):
        ex.statement("<fees>")
    assert exchange_class([X], log=NEEDS).statement("<fees>").balance == 0


@pytest.mark.parametrize("account", ["nobody", "<nobody>", 2**24, -1])
def test_an_unknown_account_is_refused(exchange_class, account):
    with pytest.raises(Rejected, match="UNKNOWN_ACCOUNT"):
        exchange_class([X]).statement(account)


def test_an_exchange_is_freed_with_its_statements():
    import gc
    import weakref

    ex = Exchange([X])
    ex.statement("<fees>")
    gone = weakref.ref(ex)
    gc.disable()
    try:
        del ex
        assert gone() is None
    finally:
        gc.enable()


def test_two_currencies_have_two_rows(exchange_class):
    ex = exchange_class([X, Instrument("Y", settle="USDC")])
    ex.deposit("alice", "USDT", 5)
    ex.deposit("alice", "USDC", 6)
    told = ex.statement("alice")
    assert {name: row.deposits for name, row in told.currencies.items()} == {"USDT": 5, "USDC": 6}
    with pytest.raises(AttributeError, match="currencies"):
        told.fees  # noqa: B018


def test_statements_as_arrow(exchange_class):
    """Rows of the table add up to what `statement` shows."""
    pytest.importorskip("pyarrow", reason="pyarrow is an extra: pip install solvent[arrow]")
    from solvent import arrow

    ex = traded(exchange_class)
    rows = arrow.statements(ex).to_pylist()
    assert {row["instrument"] for row in rows} == {None, 0}
    for name in ("alice", "bob", "carol", "<fees>", "<fund>"):
        told = ex.statement(name)
        mine = [row for row in rows if row["account"] == told.account_id]
        assert sum(row["fees_units"] for row in mine) == told.fees * 10**6
        assert sum(row["trades"] for row in mine) == told.trades
    assert all(sum(row[f"{reason}_units"] for row in rows) == 0 for reason in REASONS)
    assert arrow.statements(exchange_class([X])).num_rows == 0
