"""Exchange(strict=True), Book(strict=True): every refusal raises Rejected with the code that the Ack would have had."""

import pytest

import solvent
import solvent.reference
from solvent import Code, InputError, Instrument, Rejected, Trigger, WrongType
from solvent.records import CommandType, command

MODULES = [solvent, solvent.reference]
REFUSED = [  # name, arguments, code
    ("order", ("a", "X", "buy", 0), {"price": 100}, Code.BAD_SIZE),
    ("order", ("nobody", "X", "buy", 1), {"price": 100}, Code.UNKNOWN_ACCOUNT),
    ("order", ("a", "X", "buy", 1), {"price": 200}, Code.PRICE_BAND),
    ("order", ("a", "X", "buy", 1_000), {"price": 100}, Code.INSUFFICIENT_MARGIN),
    ("order", ("a", "X", "buy", 1), {"price": 100, "tif": "fok"}, Code.FOK_UNFILLED),
    ("order", ("a", "X", "sell", 1), {"price": 100, "reduce_only": True}, Code.REDUCE_ONLY_WOULD_OPEN),
    ("order", ("a", "X", "buy", 1), {"trigger": Trigger.stop(0)}, Code.BAD_TRIGGER),
    ("order", ("a", "X", "buy", 1), {"price": 100, "client_id": 7}, Code.DUPLICATE_CLIENT_ID),
    ("amend", ("a", 99), {"size": 1}, Code.UNKNOWN_ORDER),
    ("amend", ("a",), {"client_id": 7, "size": 2}, Code.AMEND_NOTHING),
    ("cancel", ("a", 99), {}, Code.UNKNOWN_ORDER),
    ("cancel_all", ("nobody",), {}, Code.UNKNOWN_ACCOUNT),
]


def opened(module, strict):
    ex = module.Exchange([Instrument("X", contract_size=1, tick=1, max_price=1_000)], strict=strict)
    ex.deposit("a", "USDT", 1_000)
    ex.mark("X", 100)
    ex.order("a", "X", "buy", 2, price=99, client_id=7).ok()
    return ex


@pytest.mark.parametrize("module", MODULES)
@pytest.mark.parametrize(("name", "arguments", "terms", "code"), REFUSED, ids=lambda each: str(each)[:20])
def test_a_refusal_raises_the_code_that_the_ack_would_have(module, name, arguments, terms, code):
    """And does, and leaves, the same."""
    lenient, strict = (opened(module, each) for each in (False, True))
    assert getattr(lenient, name)(*arguments, **terms).code == code
    with pytest.raises(Rejected) as refusal:
        getattr(strict, name)(*arguments, **terms)
    assert refusal.value.code == code
    first = lenient.open_orders("a")[0].order_id
    assert refusal.value.order_id == (first if code == Code.DUPLICATE_CLIENT_ID else 0)
    assert lenient.digest() == strict.digest() and lenient.events().tobytes() == strict.events().tobytes()


@pytest.mark.parametrize("module", MODULES)
def test_what_is_accepted_answers_as_ever(module):
    """An order that fills nothing is no refusal."""
    lenient, strict = (opened(module, each) for each in (False, True))
    for ex in (lenient, strict):
        ack = ex.order("a", "X", "buy", 1, tif="ioc")
        assert ack and ack.filled == 0
        assert ex.amend("a", client_id=7, size=1) and ex.cancel_all("a").filled == 1
    assert lenient.events().tobytes() == strict.events().tobytes()


@pytest.mark.parametrize("module", MODULES)
def test_direct_calls_raise_too(module):
    ex = opened(module, True)
    assert ex.submit(16, 0, 98, 1)
    with pytest.raises(Rejected) as refusal:
        ex.submit(16, 0, 98, 0)
    assert refusal.value.code == Code.BAD_SIZE
    with pytest.raises(Rejected) as refusal:
        ex.revoke(16, 99)
    assert refusal.value.code == Code.UNKNOWN_ORDER
    assert not opened(module, False).revoke(16, 99)


@pytest.mark.parametrize("module", MODULES)
def test_a_batch_ends_with_its_first_refusal_and_run_does_not(module):
    """`run` answers in columns."""
    ex = opened(module, True)
    bid = {"account": "a", "instrument": "X", "side": "buy", "size": 1, "price": 98}
    with pytest.raises(Rejected) as refusal:
        ex.batch([("order", bid), ("cancel", {"account": "a", "order_id": 99}), ("order", bid)])
    assert refusal.value.code == Code.UNKNOWN_ORDER and solvent.applied(refusal.value) == 2
    assert len(ex.open_orders("a")) == 2
    assert ex.run(command(CommandType.CANCEL, account=16, order_id=99)).code.tolist() == [Code.UNKNOWN_ORDER]


@pytest.mark.parametrize("module", MODULES)
def test_a_book_may_be_strict(module):
    book = module.Book(strict=True)
    ask = book.order(1, "sell", 5, price_ticks=101, client_id=3)
    with pytest.raises(Rejected) as refusal:
        book.order(1, "sell", 5, price_ticks=101, client_id=3)
    assert (refusal.value.code, refusal.value.order_id) == (Code.DUPLICATE_CLIENT_ID, ask.order_id)


@pytest.mark.parametrize("module", MODULES)
def test_strict_is_a_bool_and_input_that_says_nothing_raises_as_ever(module):
    with pytest.raises(WrongType):
        module.Book(strict=1)
    with pytest.raises(WrongType):
        module.Exchange([Instrument("X")], strict="yes")
    with pytest.raises(InputError):
        opened(module, True).order("a", "X", "hold", 1)
