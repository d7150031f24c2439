"""Views: each kernel answers its own rows, and what is rendered of them is the same.

The compiled exchange and the reference share how a row becomes decimals and words, and nothing of how a row is found. So a
view of one is an oracle for the other.
"""

import copy
import itertools
import pickle
from dataclasses import fields, is_dataclass
from decimal import Decimal

import pytest

import solvent
import solvent.reference
from solvent import Collateral, Instrument, Rejected, Tier
from solvent.records import CommandType
from solvent.schema.rows import DomainRow, PositionRow, WalletRow
from support.generator import Generator

LEGS = (None, "long", "short")
X = Instrument("X", contract_size=1, tick=1, max_price=1_000)


def everything(ex):
    """Every view of an exchange that concerns money, by what was asked."""
    for instrument in range(len(ex.instruments)):
        yield ("prices", instrument), ex.prices(instrument)
    for account in range(16, ex._kernel.account_count):
        yield ("account", account), ex.account(account)
        yield ("explain", account), ex.explain(account)
        yield ("explain in words", account), str(ex.explain(account))
        for instrument, leg in itertools.product(range(len(ex.instruments)), LEGS):
            yield ("position", account, instrument, leg), ex.position(account, instrument, leg)


def difference(left, right, path=""):
    """Where two views differ, in words; None if nowhere."""
    if is_dataclass(left) and type(left) is type(right):
        pairs = ((each.name, getattr(left, each.name), getattr(right, each.name)) for each in fields(left))
    elif isinstance(left, dict) and isinstance(right, dict) and left.keys() == right.keys():
        pairs = ((key, left[key], right[key]) for key in left)
    elif isinstance(left, tuple) and isinstance(right, tuple) and len(left) == len(right):
        pairs = zip(range(len(left)), left, right, strict=True)
    else:
        same = type(left) is type(right) and left == right and str(left) == str(right)
        return None if same else f"{path}: {left!r} and {right!r}"
    return next((found for name, a, b in pairs if (found := difference(a, b, f"{path}.{name}"))), None)


def disagreement(exchanges):
    """Where two exchanges show something else; None if nowhere."""
    for (asked, left), (_, right) in zip(*map(everything, exchanges), strict=True):
        if found := difference(left, right, str(asked)):
            return found
    return None


def streams(seed, shapes, commands, every):
    """Pairs of exchanges, compiled and reference, at some moments of drawn streams."""
    for shape in range(shapes):
        generator = Generator(seed * 1_000_003 + shape)
        terms = {"rules": generator.rules, "collateral": generator.collateral}
        exchanges = [kind(generator.instruments, **terms) for kind in (solvent.Exchange, solvent.reference.Exchange)]
        opening = iter(generator.opening())
        for n in range(commands):
            record = next(opening, None) or generator.next(exchanges[0]._kernel)
            for ex in exchanges:
                ex.venue.coming = generator.candidate
            codes = [ex._kernel.apply(record) for ex in exchanges]
            if record[0] == CommandType.ADD_INSTRUMENT and codes == [0, 0]:
                generator.added()
            if n % every == every - 1:
                yield exchanges


def test_both_kernels_show_the_same(seed):
    seen = 0
    for exchanges in streams(seed, shapes=8, commands=500, every=100):
        assert disagreement(exchanges) is None
        seen += sum(bool(view.domains) for (name, *_), view in everything(exchanges[0]) if name == "explain")
    assert seen > 50, "accounts with something to explain"


class Crooked:
    """A kernel of which one number of some rows is off by one."""

    def __init__(self, kernel, rows, column):
        self.kernel, self.rows, self.column = kernel, rows, column

    def __getattr__(self, name):
        found = getattr(self.kernel, name)
        return self._bent(found) if name == self.rows else found

    def _bent(self, read):
        def bent(*args):
            answer = read(*args)
            return [self._off(row) for row in answer] if isinstance(answer, list) else self._off(answer)

        return bent

    def _off(self, row):
        return tuple(number + (i == self.column) for i, number in enumerate(row))


def desk(kind):
    """Two accounts with a cross and an isolated position, and orders that rest."""
    ex = kind([X, Instrument("Y", contract_size=1, tick=1, max_price=1_000)])
    for name in ("ann", "bob"):
        ex.deposit(name, "USDT", 1_000)
    ex.set_leverage("ann", "Y", 5, mode="isolated")
    for name in ("X", "Y"):
        ex.mark(name, 100)
        ex.order("bob", name, "sell", 10, price=100)
        ex.order("ann", name, "buy", 10, price=100)
        ex.order("ann", name, "buy", 1, price=90)
        ex.mark(name, 101)
    return ex


READS = [("position_row", PositionRow), ("position_rows", PositionRow), ("wallet_rows", WalletRow), ("domain_rows", DomainRow)]
SILENT = {  # columns that this desk's views do not show; test_twins compares the rows themselves
    "position_row": {"full_ppb", "own_ppb", "other_lots", "hedged"},
    "position_rows": {"other_lots"},
    "wallet_rows": set(),
    "domain_rows": {"stuck"},
}
PLACES = {"instrument", "currency", "leg", "mode", "verdict"}  # off by one there may be no such place


@pytest.mark.parametrize(
    ("rows", "column"),
    [(rows, column) for rows, row in READS for column in row._fields if column not in SILENT[rows]],
)
def test_a_planted_difference_is_found(rows, column):
    """The comparison can fail: one number of one kind of row is off by one, and some view shows it."""
    straight, crooked = desk(solvent.Exchange), desk(solvent.reference.Exchange)
    assert disagreement([straight, crooked]) is None
    crooked._kernel = Crooked(crooked._kernel, rows, dict(READS)[rows]._fields.index(column))
    try:
        assert disagreement([straight, crooked])
    except (KeyError, IndexError, ValueError):
        assert column in PLACES


@pytest.mark.parametrize(("rows", "row"), READS)
def test_a_row_has_a_name_for_each_number(exchange_class, rows, row):
    kernel = desk(exchange_class)._kernel
    answer = kernel.position_row(16, 0, 0) if rows == "position_row" else getattr(kernel, rows)(16)
    for numbers in answer if isinstance(answer, list) else [answer]:
        assert len(numbers) == len(row._fields) and all(isinstance(number, int) for number in numbers)


def test_what_was_never_traded_is_flat_with_the_defaults(strict_exchange):
    ex = strict_exchange([Instrument("X", default_leverage=7)])
    ex.open_account("ann")
    for leg in LEGS:
        p = ex.position("ann", "X", leg)
        assert (p.leg, p.mode, p.leverage, p.size, p.margin_ratio, p.liquidation_price) == (leg, "cross", 7, 0, None, None)
    assert ex.account("ann").positions == {} and ex.explain("ann").domains == ()
    assert ex._kernel.positions(16) == [], "a look opens nothing"


def test_a_domain_may_be_worth_more_than_64_bits():
    """Five positions of 3 * 10**18 units each: arrays saturate there, views are exact."""
    for base in (solvent.Exchange, solvent.reference.Exchange):
        terms = {"contract_size": 10**12, "tick": 1, "max_price": 4, "maker_fee": 0, "taker_fee": 0}
        names = [f"I{i}" for i in range(5)]
        ex = base([Instrument(name, tiers=[Tier(1, "0.005", "0.01")], **terms) for name in names])
        for who in ("ann", "bob"):
            ex.deposit(who, "USDT", 10**12)
            for name in names:
                ex.set_leverage(who, name, 100)
        for name in names:
            ex.mark(name, 3)
            ex.order("bob", name, "sell", 1, price=3)
            assert ex.order("ann", name, "buy", 1, price=3).filled == 1
        (domain,) = ex.explain("ann").domains
        assert (domain.value, domain.equity, domain.own) == (15 * 10**12, 10**12, 75 * 10**9)
        assert max(ex.positions_array()["domain_value_units"]) == 2**63 - 1
        assert ex.position("ann", "I0").margin_ratio == Decimal("0.066666667")


def test_the_other_leg_tells_which_way_a_hedge_is_endangered(strict_exchange):
    """The smaller leg of a cross hedge is endangered on its profit's side, and its distance is told without a sign."""
    ex = strict_exchange([X])
    for name, money in (("ann", 400), ("bob", 100_000)):
        ex.deposit(name, "USDT", money)
    ex.mark("X", 100)
    ex.set_position_mode("ann", "X", "hedge")
    for side, leg, size in (("buy", "long", 10), ("sell", "short", 2)):
        ex.order("bob", "X", "sell" if side == "buy" else "buy", size, price=100)
        assert ex.order("ann", "X", side, size, price=100, leg=leg).filled == size
    long, short = (ex.position("ann", "X", leg) for leg in ("long", "short"))
    assert long.liquidation_price == short.liquidation_price < 100
    assert long.distance_ticks == short.distance_ticks > 0
    assert list(ex.account("ann").positions) == ["X long", "X short"], "the one-way row is not shown"


def taken(ex, units):
    """Whether a withdrawal of so many units is accepted."""
    try:
        ex.withdraw("ann", "USDT", units * ex.currencies["USDT"])
    except Rejected:
        return False
    return True


@pytest.mark.parametrize("rules", [{}, {"fee_at": "bankruptcy", "funding_cap": False}, {"at_threshold": True}])
@pytest.mark.parametrize("backs", [False, True], ids=["alone", "as collateral"])
def test_what_is_withdrawable_can_be_withdrawn_to_the_unit(exchange_class, rules, backs):
    from dataclasses import replace

    def prepared():
        settle = "EUR" if backs else "USDT"
        made = [Instrument("P", settle=settle, contract_size=1, tick=1, max_price=1_000)]
        collateral = [Collateral("USDT", of="EUR", price="P", haircut="0.1")] if backs else []
        ex = exchange_class(made, rules=replace(solvent.rules.find("seed"), **rules), collateral=collateral)
        ex.deposit("ann", "USDT", 1_000)
        ex.deposit("bob", settle, 1_000_000)
        ex.deposit("ann", settle, 200)
        ex.mark("P", 100)
        ex.order("bob", "P", "sell", 50, price=100)
        assert ex.order("ann", "P", "buy", 50, price=100).filled == 50
        ex.mark("P", 98)
        return ex

    ex = prepared()
    units = int(ex.account("ann").wallets["USDT"].withdrawable / ex.currencies["USDT"])
    assert 0 < units < int(ex.account("ann").wallets["USDT"].cash / ex.currencies["USDT"])
    assert not taken(ex, units + 1) and taken(ex, units)
    assert ex.account("ann").wallets["USDT"].withdrawable == Decimal(0)


def test_a_view_shows_its_moment_however_late_it_is_read():
    ex = solvent.Exchange([X])
    for name in ("alice", "bob"):
        ex.deposit(name, "USDT", 1_000)
    ex.mark("X", 100)
    ex.order("bob", "X", "sell", 5, price=100).ok()
    ex.order("alice", "X", "buy", 5, price=100).ok()
    read, unread = ex.account("alice"), ex.account("alice")
    copies = pickle.loads(pickle.dumps(ex.account("alice"))), copy.deepcopy(ex.account("alice"))
    shown = repr(read)
    ex.mark("X", 150)
    assert repr(unread) == shown == repr(copies[0]) == repr(copies[1]) and unread == read
    assert unread.positions["X"].upl == 0 and ex.position("alice", "X").upl == 250
    with pytest.raises(AttributeError, match="no 'price'"):
        _ = ex.position("alice", "X").price
