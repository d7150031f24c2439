"""Odd values in every parameter of every public method: a typed error, and nothing changed; and the errors themselves.

Owns the table of odd values, the walk over the package's exceptions, what a name may be, and what `run` takes.
"""

import copy
import importlib
import inspect
import pickle
import pkgutil
from dataclasses import replace
from decimal import Decimal
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

import solvent
import solvent.reference
from solvent import (
    Code,
    Event,
    EventType,
    Exchange,
    InputError,
    Instrument,
    Rejected,
    SolventError,
    Tier,
    Trigger,
    WrongType,
    rules,
    venues,
)
from solvent.auditor import Auditor
from solvent.feed import Feed, Replica
from solvent.lab.recorded.capture import read
from solvent.lab.recorded.replay import replay
from solvent.records import CommandType, command, dtype
from solvent.schema.limits import CURRENCIES_MAX

X = "X"
ODD = [
    None, [], {}, b"", "", "a", "\ud800", "a\0b", -1, 0, 1, 2**31, 2**32, 2**63, 2**64, 10**5_000, -(10**5_000), "9" * 5_000,
    1.5, float("nan"), float("inf"), True, object(), np.int64(1), np.float64(1.5), np.bool_(True), np.array([1, 2]),
    np.array([]), np.zeros(2, dtype("command")), Decimal("NaN"), Decimal("sNaN"), Decimal("1e9999"), Fraction(10**5_000),
    [None], [10**5_000], {1: 2}, ("a",), object, len, bytes(64), range(3), {"a"}, 1j, memoryview(b"ab"),
    EventType.TRADE, Code.OK,
]  # fmt: skip
GOOD = {
    "account": "a", "instrument": X, "side": "buy", "size": 1, "currency": "USDT", "amount": 1, "to": "b", "name": "new",
    "leverage": 10, "rate": "0.0001", "period": 5, "order_id": 1, "time_ns": 0, "calls": [], "commands": b"", "price": 49_000,
    "kind": EventType.TRADE, "types": EventType.TRADE, "mode": "isolated", "size_lots": 1, "price_ticks": 5,
}  # fmt: skip
ANSWERS = (SolventError,)


def made(module):
    ex = module.Exchange([Instrument(X), Instrument("Y")], currencies={"EUR": 2})
    for name in "ab":
        ex.deposit(name, "USDT", 10_000)
    ex.mark(X, 50_000)
    ex.set_leverage("a", X, 10, mode="isolated")
    ex.order("a", X, "buy", 5, price=49_000, client_id=3).ok()
    ex.order("b", X, "sell", 5, price=49_000).ok()
    ex.order("a", X, "buy", 5, price=48_000, client_id=4).ok()
    return ex


def public(thing):
    return [(name, getattr(thing, name)) for name in dir(type(thing)) if name[0] != "_" and callable(getattr(thing, name))]


def terms_of(thing, method):
    """The parameters of a method. One that passes others on to `order` has those of `order`, too."""
    terms = inspect.signature(method).parameters
    named = [each for each in terms.values() if each.kind is not each.VAR_KEYWORD]
    if len(named) == len(terms):
        return named
    return named + [each for name, each in inspect.signature(thing.order).parameters.items() if name not in terms]


def calls(thing, names=None):
    """(what, call) of every parameter of every public method with every odd value."""
    for name, method in public(thing):
        if names is not None and name not in names:
            continue
        terms = terms_of(thing, method)
        for term in terms:
            for odd in ODD:
                given, keys = [], {}
                for each in terms:
                    if each is not term and each.default is not each.empty:
                        continue
                    value = odd if each is term else GOOD.get(each.name)
                    if each.kind is each.VAR_POSITIONAL:
                        given.append(value)
                    else:
                        keys[each.name] = value
                yield f"{name}({term.name})", odd, lambda method=method, given=given, keys=keys: method(*given, **keys)


def answered(what, odd, call):
    """A typed error (True), or an answer (False); nothing else."""
    try:
        found = call()
    except ANSWERS as error:
        assert str(error)
        return True
    except Exception as error:
        raise AssertionError(f"{what} with a {type(odd).__name__}: {type(error).__name__} {error}") from error
    return isinstance(found, solvent.Ack) and not found


@pytest.fixture(params=[solvent, solvent.reference], ids=["compiled", "reference"])
def module(request):
    return request.param


def test_every_method_of_an_exchange(module):
    """What is refused changes nothing; what is accepted leaves every invariant."""
    ex = made(module)
    methods = {name for name, _ in public(ex)}
    assert {"order", "deposit", "run", "batch", "writes", "fund", "account_name", "cursor", "events"} <= methods
    before, refused = ex._kernel.state(), 0
    for what, odd, call in calls(ex):
        if answered(what, odd, call):
            refused += 1
            assert ex._kernel.state() == before, what
        before = ex._kernel.state()
    ex.check()
    assert refused > 2_000


def test_every_method_of_a_book(module):
    book = module.Book()
    book.order(1, "buy", 5, price_ticks=5).ok()
    before = book._kernel.state()
    for what, odd, call in calls(book):
        if answered(what, odd, call):
            assert book._kernel.state() == before, what
        before = book._kernel.state()
    book.check()


def test_direct_calls(module):
    ex = made(module)
    before = ex._kernel.state()
    for odd in ODD:
        if type(odd) is int and abs(odd) < 2**62:
            continue
        for place in range(5):
            terms = [16, 0, 490_000, 1, 0]
            terms[place] = odd
            assert answered(f"submit {place}", odd, lambda terms=terms: ex.submit(*terms))
        for terms in ([odd, 1], [16, odd]):
            assert answered("revoke", odd, lambda terms=terms: ex.revoke(*terms))
    assert ex._kernel.state() == before


def test_readers(module):
    """Cursor, Ack, Feed, Subscription, Replica, Auditor: their parameters, and what they are made from."""
    ex = made(module)
    feed, auditor = Feed(ex, X), Auditor(ex)
    things = [ex.cursor(), ex.order("a", X, "buy", 1, price=47_000), feed, feed.subscribe("l2"), Replica()]
    before = ex._kernel.state()
    for thing in things:
        for what, odd, call in calls(thing):
            answered(what, odd, call)
    for what, odd, call in calls(auditor, {"feed", "follow", "compare"}):
        answered(what, odd, call)
    for odd in ODD:
        for call in (lambda odd=odd: Feed(odd), lambda odd=odd: Feed(ex, odd), lambda odd=odd: Auditor(odd)):
            answered("a reader", odd, call)
    assert ex._kernel.state() == before


@pytest.mark.parametrize("what", ["feed", "compare"])
def test_an_auditor_of_events_that_do_not_follow(what):
    """Events from the middle, of orders and parcels nobody has heard of: InvariantBroken, whatever they name."""
    ex = made(solvent)
    ex.seed_fund("USDT", 1)
    ex.mark(X, 40_000)
    for event in ex.drain():
        if what == "feed":
            answered("feed", event, lambda event=event: Auditor(ex).feed(event))
            changed = Event((event.record[0], 1, 1, 999, 77, 9, 9, 10**6, 5, 5, 5, 5, 5))
            answered("feed", changed, lambda changed=changed: Auditor(ex).feed(changed))
    with pytest.raises(SolventError):
        Auditor(ex).compare(ex)


def test_tables_and_captures(tmp_path):
    arrow = None
    if importlib.util.find_spec("pyarrow"):
        arrow = importlib.import_module("solvent.arrow")
    ex = made(solvent)
    for odd in ODD:
        for call in (
            lambda odd=odd: dtype(odd), lambda odd=odd: rules.find(odd), lambda odd=odd: replay(odd),
            lambda odd=odd: read(odd) if odd != "" else None, lambda odd=odd: read(tmp_path / "none.csv", odd),
            lambda odd=odd: venues.price_model(odd), lambda odd=odd: venues.binance_tiers(odd),
            lambda odd=odd: venues.okx_tiers(odd), lambda odd=odd: venues.okx_instrument(odd), lambda odd=odd: Trigger(odd),
        ):  # fmt: skip
            if isinstance(odd, np.ndarray) and "read(odd)" in inspect.getsource(call):
                continue
            answered("a table", odd, call)
        for name in ("events", "trades", "depth", "positions", "liquidations", "accounts", "table") if arrow else ():
            terms = (odd, EventType.TRADE) if name == "events" else (odd,)
            answered(name, odd, lambda name=name, terms=terms: getattr(arrow, name)(*terms))
        if arrow:
            for call in (
                lambda odd=odd: arrow.events(ex, odd), lambda odd=odd: arrow.depth(ex, odd),
                lambda odd=odd: arrow.depth(ex, X, odd), lambda odd=odd: arrow.depth(solvent.Book(), odd),
            ):  # fmt: skip
                answered("arrow", odd, call)


def test_what_an_exchange_or_a_rule_set_is_made_of(module):
    for odd in ODD:
        for name in ("instruments", "rules", "retain", "log", "collateral", "currencies"):
            terms = {"instruments": [Instrument(X)]} | {name: odd}
            answered(name, odd, lambda terms=terms: module.Exchange(**terms))
        for name in ("max_price_ticks", "max_size_lots", "retain", "log"):
            answered(name, odd, lambda name=name, odd=odd: module.Book(**{name: odd}))
        for name in type(rules.find("seed")).__dataclass_fields__:
            answered(name, odd, lambda name=name, odd=odd: replace(rules.find("seed"), **{name: odd}))
    with pytest.raises(InputError, match="funding_cap is a bool"):
        replace(rules.find("seed"), funding_cap=2)


def test_what_an_instrument_is_made_of():
    least = {"name": X, "tiers": [Tier(1, "0.01", "0.02")]}
    for name in Instrument.__dataclass_fields__:
        for odd in ODD if name not in ("spec", "_") else ():
            answered(name, odd, lambda name=name, odd=odd: Instrument(**least | {name: odd}))


def test_answers_to_what_was_found(strict_exchange):
    """Each let another exception out."""
    ex = strict_exchange([Instrument(X)])
    ex.deposit("a", "USDT", 100)
    before = ex.digest()
    for call in (
        lambda: ex.batch(None), lambda: ex.batch([("order", {1: 2})]), lambda: ex.batch([("order", {"account": "a"})]),
        lambda: ex.batch([("cancel", {"account": "a", "odd": 1})]), lambda: ex.fund([]), lambda: ex.deficit({}),
        lambda: ex.writes("a"), lambda: ex.writes(8), lambda: ex.account_name("a"), lambda: ex.account_name(None),
        lambda: ex.halt(X, resume=1), lambda: ex.cursor(begin=10**5_000), lambda: ex.events(view=1),
        lambda: ex.advance(10**5_000), lambda: ex.source(X, ["a"], 1), lambda: Exchange([Instrument(X)], retain=1),
        lambda: Exchange([Instrument(X)], log=5),
    ):  # fmt: skip
        with pytest.raises(InputError):
            call()
    for unknown in (-1, 17, 2**40, 10**5_000):
        with pytest.raises(Rejected, match="UNKNOWN_ACCOUNT"):
            ex.account_name(unknown)
    assert [ex.account_name(i) for i in (0, 3, 8, 16)] == ["<outside>", "<fund>", "<8>", "a"]
    assert ex.digest() == before
    assert [bool(ack) for ack in ex.batch([("cancel", {"account": "a", "order_id": 1}), ("cancel_all", {})])] == [False, True]


# --- what the errors themselves are


def errors():
    for each in pkgutil.walk_packages(solvent.__path__, "solvent."):
        if not each.name.endswith("__main__"):
            importlib.import_module(each.name)
    found = [SolventError]
    for kind in found:
        found += [each for each in kind.__subclasses__() if each not in found]
    return found


def test_every_exception_of_the_package_is_a_solvent_error():
    """Whatever class of exception a module defines."""
    known = errors()
    for path in Path(solvent.__path__[0]).rglob("*.py"):
        module = importlib.import_module("solvent." + ".".join(path.relative_to(solvent.__path__[0]).with_suffix("").parts))
        for name, kind in inspect.getmembers(module, inspect.isclass):
            if issubclass(kind, Exception) and kind.__module__.startswith("solvent"):
                assert kind in known, name


@pytest.mark.parametrize("kind", errors(), ids=lambda kind: kind.__name__)
def test_exceptions_pickle_and_copy(kind):
    """With their text, their attributes, what was added to them, and what they are."""
    terms = inspect.signature(kind.__init__).parameters
    given = ("text", 5, "more")[: max(2, len(terms) - 1)]
    error = kind(Code.BAD_PRICE, "mind the gap") if "code" in terms else kind(*given)
    error.more = [1, 2]
    error.add_note("a note")
    copies = [pickle.loads(pickle.dumps(error, protocol)) for protocol in range(pickle.HIGHEST_PROTOCOL + 1)]
    for again in (*copies, copy.copy(error), copy.deepcopy(error), pickle.loads(pickle.dumps(copies[0]))):
        assert type(again) is kind and str(again) == str(error) and again.args == error.args
        assert vars(again) == vars(error) and again.__notes__ == ["a note"]


@pytest.mark.parametrize("code", list(Code), ids=lambda code: code.name)
def test_every_refusal_pickles(code):
    for error in (Rejected(code), Rejected(code, "another hint")):
        again = pickle.loads(pickle.dumps(error))
        assert (again.code, again.hint, str(again)) == (error.code, error.hint, str(error))
        assert type(again.code) is Code


# --- names

UNREADABLE = ["", "tab\t", "a\nb", "\x1f", "del\x7f", "\x7f", "\x80", "next\x85line", "\x9f", "a\x9b31m", "a\0b", "x" * 65,
              "\u00e9" * 33, "\ud800"]  # fmt: skip
BRACKETED = ["<fund>", "<>", "<outside>", "<8>", "<a b>", "<\u00e9>"]
FINE = ["a", "<a", "a>", "a<b>c", "\u00a0", "\u00e9", "x" * 64, "\u20ac" * 21, " ", "\U0001f600"]


@pytest.mark.parametrize("name", [*UNREADABLE, *BRACKETED], ids=ascii)
def test_account_names_that_are_refused(module, name):
    """At the face, by a deposit, and by a record: with one code, and nothing changes."""
    ex = made(module)
    before = ex.digest()
    with pytest.raises(Rejected, match="BAD_NAME"):
        ex.open_account(name)
    with pytest.raises(Rejected, match="BAD_NAME"):
        ex.deposit(name, "USDT", 1)
    encoded = name.encode(errors="surrogatepass")
    if len(encoded) <= 64 and "\0" not in name:
        record = command(CommandType.OPEN_ACCOUNT, records=2) + encoded.ljust(64, b"\0")
        assert ex._kernel.apply(record) == Code.BAD_NAME
    assert ex.digest() == before


@pytest.mark.parametrize("name", FINE, ids=ascii)
def test_account_names_that_are_taken(module, name):
    ex = module.Exchange([Instrument(X)])
    assert ex.account_name(ex.open_account(name)) == name


@pytest.mark.parametrize("name", UNREADABLE, ids=ascii)
def test_instruments_and_currencies_have_names_that_can_be_read(module, name):
    for call in (
        lambda: Instrument(name), lambda: Instrument(X, settle=name),
        lambda: module.Exchange([Instrument(X)], currencies={name: 2}),
    ):  # fmt: skip
        with pytest.raises(InputError, match="needs a name"):
            call()


def test_the_bytes_of_names_that_are_no_text(module):
    ex = made(module)
    for data in (b"\xff", b"\xc2", b"a\xc2\x80", b"\xed\xa0\x80", b"a\0b", b"\x7f"):
        record = command(CommandType.OPEN_ACCOUNT, records=2) + data.ljust(64, b"\0")
        assert ex._kernel.apply(record) == Code.BAD_NAME


# --- what run takes


def orders(n=2):
    batch = np.zeros(n, dtype("command"))
    batch["type"], batch["records"], batch["account"] = CommandType.ORDER, 1, 16
    batch["price_ticks"], batch["size_lots"], batch["time_ns"] = 480_000, 1, 0
    return batch


def test_run_takes_commands_and_nothing_else(module):
    """A float64 array of the same bytes once placed a live order."""
    ex, batch = made(module), orders()
    before, big = ex.digest(), orders(4)
    fields = [(name, kind.str.replace("<", ">")) for name, (kind, _) in batch.dtype.fields.items()]
    for wrong in (
        batch.view("f8"), batch.view("i8"), batch.view("u1"), batch.view("S64"), batch.view("V64"), batch.view(dtype("event")),
        batch.view(dtype("extension")), batch.astype(fields), batch.view("f8").data, batch.view("i8").data, batch["size_lots"],
        np.array([]), np.zeros(8), [bytes(64)], "a", 5, None, batch.tolist(), np.array(batch, object),
    ):  # fmt: skip
        with pytest.raises(WrongType):
            ex.run(wrong)
    for apart in (big[::2], big[::-1], memoryview(bytes(256))[::2]):
        with pytest.raises(InputError):
            ex.run(apart)
    assert ex.digest() == before
    assert len(ex.run(np.zeros(0, dtype("command")))) == len(ex.run(b"")) == 0 and ex.digest() == before
    for fine in (
        batch,
        batch.tobytes(),
        bytearray(batch.tobytes()),
        memoryview(batch.tobytes()),
        big[1:3],
        big[:1],
        big.reshape(2, 2),
    ):
        assert not ex.run(fine).code.any()


# --- currencies


def test_currencies_are_as_many_as_an_event_can_tell(module):
    """The last one's number fills the 16 bits; one more is refused where the exchange is made."""
    one = Instrument(X, settle="C0", settle_decimals=6, tiers=[Tier(1, "0.01", "0.02")])
    names = {f"C{i}": 6 for i in range(CURRENCIES_MAX)}
    with pytest.raises(InputError, match="at most 65536 currencies"):
        module.Exchange([one], currencies=names | {"one more": 6})
    ex = module.Exchange([one], currencies=names)
    last = f"C{CURRENCIES_MAX - 1}"
    ex.deposit("a", last, 5)
    (posted,) = [e for e in ex.events() if e["type"] == EventType.LEDGER]
    assert posted["code"] == CURRENCIES_MAX - 1 and ex._kernel.wallet(16, CURRENCIES_MAX - 1)[0] == 5 * 10**6
