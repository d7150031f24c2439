"""Hostile and wrong input: a typed error or a result code, and the digest unchanged (the fixture checks that
for every refused command; here also for what raises before a command is made)."""

import math
import threading
from contextlib import suppress
from decimal import Decimal

import numpy as np
import pytest

from solvent import (
    Busy,
    Code,
    Collateral,
    Exchange,
    Funding,
    Index,
    InputError,
    Instrument,
    PriceModel,
    Rates,
    Rejected,
    Tier,
    WrongType,
)
from solvent.records import COMMAND_FIELDS, CommandType, Flag, command, dtype, extension, layout
from solvent.schema.answers import possible

BTC = "BTC-USDT-SWAP"
WRONG_TYPES = [1.5, math.nan, math.inf, -0.0, True, None, b"1", [1], {}, object()]
NO_NUMBERS = ["", "abc", "1,5", "NaN", "Infinity", "-Infinity", "0x10", "1__0"]
HOSTILE = [0, 1, -1, 2**31, -(2**31), 2**53, 2**63 - 1, -(2**63), 2**63, 2**64 - 1, 10**30, "1e400", "1e-400", "-1e30"]


@pytest.fixture
def ex(strict_exchange):
    exchange = strict_exchange([Instrument(BTC)])
    exchange.deposit("a", "USDT", 10_000)
    exchange.deposit("b", "USDT", 10_000)
    exchange.mark(BTC, 50_000)
    exchange.order("a", BTC, "buy", 1, price=49_000).ok()
    return exchange


def calls(ex, value):
    """Every place of the face where a number enters."""
    return {
        "deposit": lambda: ex.deposit("a", "USDT", value),
        "withdraw": lambda: ex.withdraw("a", "USDT", value),
        "seed_fund": lambda: ex.seed_fund("USDT", value),
        "move_margin": lambda: ex.move_margin("a", BTC, value),
        "mark": lambda: ex.mark(BTC, value),
        "size": lambda: ex.order("a", BTC, "buy", value, price=49_000),
        "price": lambda: ex.order("a", BTC, "buy", 1, price=value),
        "amend size": lambda: ex.amend("a", 1, size=value),
        "amend price": lambda: ex.amend("a", 1, price=value),
    }


@pytest.mark.parametrize("value", WRONG_TYPES, ids=lambda each: repr(each).split(" at ")[0])
def test_wrong_types_raise(ex, value):
    before = ex.digest()
    optional = {"price", "amend size", "amend price"} if value is None else set()
    for name, call in calls(ex, value).items():
        if name not in optional:
            with pytest.raises(WrongType):
                call()
    assert ex.digest() == before


@pytest.mark.parametrize("value", NO_NUMBERS, ids=repr)
def test_text_that_is_no_number_raises(ex, value):
    before = ex.digest()
    for call in calls(ex, value).values():
        with pytest.raises(InputError):
            call()
    assert ex.digest() == before


@pytest.mark.parametrize("value", HOSTILE, ids=repr)
def test_hostile_numbers_are_answered(ex, value):
    """An Ack, a Rejected or nothing, never another exception; a refusal changes nothing (the fixture looks)."""
    for call in calls(ex, value).values():
        try:
            call()
        except Rejected as error:
            assert error.code != Code.OK and error.hint
    ex.check()


def test_float_is_refused_by_name():
    with pytest.raises(WrongType, match="float 0.1 is refused; use int, str or Decimal"):
        Exchange([Instrument(BTC)]).deposit("a", "USDT", 0.1)


def test_words(ex):
    for call in (
        lambda: ex.order("a", BTC, "long", 1, price=1),
        lambda: ex.order("a", BTC, 0, 1, price=1),
        lambda: ex.order("a", BTC, "buy", 1, price=1, tif="day"),
        lambda: ex.order("a", BTC, "buy", 1, price=1, post_only=1),
        lambda: ex.order("a", BTC, "buy", 1, price=1, client_id=2**63),
        lambda: ex.order("a", BTC, "buy", 1, price=1, client_id=-1),
        lambda: ex.order(1.0, BTC, "buy", 1, price=1),
        lambda: ex.order("a", None, "buy", 1, price=1),
        lambda: ex.set_leverage("a", BTC, 10, mode="both"),
        lambda: ex.set_leverage("a", BTC, 10.0),
        lambda: ex.set_leverage("a", BTC, True),
        lambda: ex.cancel("a"),
        lambda: ex.cancel("a", 1, client_id=1),
        lambda: ex.advance(1.5),
        lambda: ex.depth(BTC, -1),
        lambda: ex.open_account(5),
    ):
        with pytest.raises(InputError):
            call()


def test_orders_answer_with_codes(ex):
    cases = {
        Code.UNKNOWN_INSTRUMENT: lambda: ex.order("a", "ETH", "buy", 1, price=1),
        Code.UNKNOWN_ACCOUNT: lambda: ex.order("nobody", BTC, "buy", 1, price=1),
        Code.BAD_PRICE: lambda: ex.order("a", BTC, "buy", 1, price="49000.05"),
        Code.BAD_SIZE: lambda: ex.order("a", BTC, "buy", "0.5", price=49_000),
        Code.POST_ONLY_WOULD_TAKE: lambda: ex.order("b", BTC, "sell", 1, price=49_000, post_only=True),
        Code.BAD_FLAGS: lambda: ex.order("b", BTC, "sell", 1, price=49_000, post_only=True, tif="ioc"),
        Code.REDUCE_ONLY_WOULD_OPEN: lambda: ex.order("a", BTC, "sell", 1, price=50_000, reduce_only=True),
        Code.INSUFFICIENT_MARGIN: lambda: ex.order("a", BTC, "buy", 1_000, price=49_000),
        Code.UNKNOWN_ORDER: lambda: ex.cancel("a", 0),
    }
    for code, call in cases.items():
        ack = call()
        assert not ack and ack.code == code and ack.hint
        with pytest.raises(Rejected):
            ack.ok()
    for bad in (0, -1, 992_001):
        assert ex.order("a", BTC, "buy", bad, price=49_000).code == Code.BAD_SIZE
    for bad in (0, -5, "1677721.6"):
        assert ex.order("a", BTC, "buy", 1, price=bad).code == Code.BAD_PRICE
    assert Exchange([Instrument(BTC)]).order("a", BTC, "buy", 1, price=1).code == Code.UNKNOWN_ACCOUNT


def test_no_mark_no_trade(strict_exchange):
    ex = strict_exchange([Instrument(BTC)])
    ex.deposit("a", "USDT", 10)
    assert ex.order("a", BTC, "buy", 1, price=49_000).code == Code.NO_MARK


def test_control_calls_raise(ex):
    cases = [
        (Code.BAD_AMOUNT, lambda: ex.deposit("a", "USDT", -1)),
        (Code.BAD_AMOUNT, lambda: ex.deposit("a", "USDT", "0.0000001")),
        (Code.MONEY_LIMIT, lambda: ex.deposit("a", "USDT", (2**62 - 1) // 10**6)),
        (Code.UNKNOWN_CURRENCY, lambda: ex.deposit("a", "EUR", 1)),
        (Code.UNKNOWN_ACCOUNT, lambda: ex.withdraw("nobody", "USDT", 1)),
        (Code.INSUFFICIENT_BALANCE, lambda: ex.withdraw("a", "USDT", 10_000)),
        (Code.BAD_PRICE, lambda: ex.mark(BTC, 0)),
        (Code.BAD_PRICE, lambda: ex.mark(BTC, -1)),
        (Code.BAD_PRICE, lambda: ex.mark(BTC, 10**9)),
        (Code.UNKNOWN_INSTRUMENT, lambda: ex.mark("ETH", 1)),
        (Code.ACCOUNT_EXISTS, lambda: ex.open_account("a")),
        (Code.BAD_NAME, lambda: ex.open_account("")),
        (Code.BAD_NAME, lambda: ex.open_account("x" * 65)),
        (Code.BAD_NAME, lambda: ex.open_account("tab\t")),
        (Code.UNKNOWN_ACCOUNT, lambda: ex.account("nobody")),
        (Code.UNKNOWN_INSTRUMENT, lambda: ex.position("a", "ETH")),
    ]
    for code, call in cases:
        before = ex.digest()
        with pytest.raises(Rejected) as caught:
            call()
        assert caught.value.code == code
        assert ex.digest() == before


def test_a_refused_first_deposit_opens_no_account(strict_exchange):
    ex = strict_exchange([Instrument(BTC)])
    before = ex.digest()
    for amount in (0, -1, 2**62 // 10**6 + 1):
        with pytest.raises(Rejected):
            ex.deposit("new", "USDT", amount)
    assert ex.digest() == before
    ex.deposit("old", "USDT", 10)
    before = ex.digest()
    with pytest.raises(Rejected):
        ex.deposit("new", "USDT", 2**62 // 10**6)
    assert ex.digest() == before


def test_time_never_goes_back(ex):
    ex.advance(100)
    with pytest.raises(Rejected) as caught:
        ex.advance(99)
    assert caught.value.code == Code.TIME_BACKWARDS
    assert ex.time_ns == 100
    ex.advance(100)
    assert ex.order("a", BTC, "buy", 1, price=49_000).events[0].time_ns == 100


def test_every_field_of_every_command_takes_every_hostile_value(ex):
    """Records from outside: any value in any field is answered, and the invariants hold after each."""
    kinds = [*CommandType, 0, 99, 65535]
    patterns = [0, 1, 0x7F, 0xFF, 2**15, 2**31 - 1, 2**31, 2**53, 2**62, 2**63 - 1, 2**63, 2**64 - 1]
    base = {"account": 16, "price_ticks": 490_000, "size_lots": 1, "amount": 1}
    fields = {name: size for name, (_, size) in layout("command").items() if name not in ("", "type", "records", "time_ns")}
    kernel = ex._kernel
    tried = 0
    for kind in kinds:
        for name, size in fields.items():
            for value in patterns:
                record = bytearray(command(0, **base))
                record[0:2] = kind.to_bytes(2, "little")
                offset = layout("command")[name][0]
                record[offset : offset + size] = (value % 256**size).to_bytes(size, "little")
                before = kernel.state()
                code = kernel.apply(bytes(record))
                assert code == 0 or kernel.state() == before, (kind, name, value)
                tried += 1
        assert kernel.check() is None
    assert tried == len(kinds) * len(fields) * len(patterns)


def test_every_field_of_a_second_record_takes_every_hostile_value(ex):
    """The same for the second record of plain, timed, market and triggered orders; nothing that is reserved is accepted."""
    patterns = [0, 1, 2, 5, 0x7F, 0xFF, 2**15, 2**31, 2**53, 2**62, 2**63 - 1, 2**63, 2**64 - 1]
    header = {"account": 17, "records": 2, "price_ticks": 490_000, "size_lots": 1}
    market = {"tif": 1, "flags": Flag.MARKET, "price_ticks": 0}
    shapes = [
        (header, {}),
        (header | {"tif": 3}, {"expiry_ns": 9}),
        (header | market, {"slippage_ppb": 10**6}),
        (header | market, {"trigger_kind": 1, "trigger_ticks": 400_000}),
        (header | market, {"trigger_kind": 4, "trail": 10**7}),
    ]
    reserved = {"unused_lots", "unused_ticks", "group_id", "unused_word", "group_role", "spare"}
    kernel = ex._kernel
    for fields, terms in shapes:
        for name, (offset, size) in layout("extension").items():
            for value in patterns if name else ():
                second = bytearray(extension(**terms))
                second[offset : offset + size] = (value % 256**size).to_bytes(size, "little")
                before = kernel.state()
                code = kernel.apply(command(CommandType.ORDER, **fields) + bytes(second))
                assert possible(CommandType.ORDER, code), (name, value)
                assert code == 0 or kernel.state() == before, (name, value)
                if name in reserved and value % 256**size:
                    assert code == Code.NOT_SUPPORTED
        assert kernel.check() is None


@pytest.mark.parametrize("value", [1.5, True, None, "1", b"1", Decimal(1), np.int64(1), 2**32, 2**63, -1, 2**200], ids=repr)
def test_direct_calls_take_integers_that_fit(ex, value):
    """submit and revoke raise, or answer with a code, and the state stays."""
    before = ex._kernel.state()
    good = {"account": 16, "side": 0, "price_ticks": 490_000, "size_lots": 0}
    for name in (*good, "tif", "flags", "client_id", "instrument"):
        try:
            assert not ex.submit(**(good | {name: value}))
        except (WrongType, OverflowError):
            assert type(value) is not int or not -(2**63) <= value < 2**63 or name not in ("price_ticks", "size_lots")
    for arguments in ((value, 1), (16, value)):
        with suppress(WrongType, OverflowError):
            assert not ex.revoke(*arguments)
    assert ex._kernel.state() == before


def test_malformed_records(ex):
    kernel = ex._kernel
    for bad in (b"\0" * 64, command(CommandType.ADVANCE)[:63], command(CommandType.ADVANCE) * 2, command(1, records=2)):
        assert kernel.apply(bad) == Code.BAD_RECORD
    assert kernel.apply(command(CommandType.CANCEL, account=16, records=2) + b"\0" * 64) == Code.BAD_RECORD
    for bad in (b"\0" * 64, b"\1" * 63, command(1, records=5) * 5, command(1, records=2)):
        with pytest.raises(ValueError):
            ex.run(bad)
    with pytest.raises(WrongType):
        Exchange([Instrument(BTC)]).order("a", BTC, "buy", 1, price=1.0)


def test_constructor_refuses_nonsense(audited_exchange):
    for bad in ([], ["BTC"], [Instrument(BTC), Instrument(BTC)], [Instrument("A"), Instrument("B", settle_decimals=8)]):
        with pytest.raises(InputError):
            audited_exchange(bad)
    with pytest.raises(InputError):
        audited_exchange([Instrument(BTC)], rules="none")


ODD = [5, 1.5, None, "x", b"x", [], [None], {}, {1: 2}, [[]], object(), Decimal("NaN"), -1, [1.5], {"a": "b"}]
MADE = {  # with one argument that is odd
    Instrument: (
        {"name": "X"},
        "name settle kind tick tiers rates hedge fee_tiers basis prices tier_group maker_fee expiry_ns",
    ),
    Tier: ({"max_contracts": 1, "maintenance": "0.1", "initial": "0.2"}, "max_contracts maintenance max_leverage deduction"),
    Rates: ({"maintenance": ["0.1"]}, "maintenance side max_leverage"),
    Index: ({"sources": {"a": 1}}, "sources external stale_ns outlier wild least method"),
    Funding: ({}, "interval_ns premium impact weights bound interest clamp share cap trailing delayed notional margin"),
    PriceModel: ({}, "components sample_ns window alpha band index funding"),
    Collateral: ({"currency": "A", "of": "USDT", "price": "X", "haircut": 0}, "currency of price haircut decimals"),
    Exchange: ({"instruments": [Instrument("X")]}, "instruments rules collateral currencies"),
}


@pytest.mark.parametrize("what,name", [(what, name) for what, (_, names) in MADE.items() for name in names.split()])
def test_what_an_exchange_is_made_of(what, name):
    """A typed error, or what it is made of fits together; never another exception."""
    for value in ODD:
        with suppress(InputError):
            what(**MADE[what][0] | {name: value})


def test_a_second_thread_is_busy():
    """While a batch runs without the GIL, any other call raises Busy and changes nothing."""
    ex = Exchange([Instrument(BTC)], retain=False)
    ex.deposit("a", "USDT", 10**6)
    ex.mark(BTC, 50_000)
    batch = np.zeros(400_000, dtype("command"))
    batch["type"], batch["records"], batch["account"] = CommandType.ORDER, 1, 16
    batch["size_lots"], batch["price_ticks"], batch["tif"] = 1, 490_000, 1
    outcome = []
    worker = threading.Thread(target=lambda: outcome.append(ex.run(batch)))
    worker.start()
    busy = 0
    while worker.is_alive():
        try:
            ex.digest()
        except Busy:
            busy += 1
    worker.join()
    assert busy > 0 and not outcome[0].code.any()
    assert len(COMMAND_FIELDS) == len(batch.dtype.names)
    ex.check()


def test_amounts_keep_every_digit(ex):
    ex.deposit("a", "USDT", Decimal("123456789.123456"))
    assert ex.account("a").cash == Decimal("123466789.123456")
