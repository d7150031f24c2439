"""Client ids that are texts: the sender's own, resolved in views and events, remembered as long as the duplicate window.

The number that stands for a text is 62 bits of its FNV-1a hash, with bit 62 set: in both kernels and at the face.
"""

import pytest

import solvent
import solvent.reference
from solvent import Code, EventType, InputError, Instrument, Rejected, Trigger, WrongType
from solvent.auditor import Auditor
from solvent.records import RECORD_BYTES, CommandType, command, decode, extension
from solvent.schema.limits import CLIENT_ID_WINDOW
from solvent.terms.names import client_number, client_text

LEGAL = ["a", "bid-7", "A.Z:/a_z-09", "x" * 36]
BAD = ["", "x" * 37, "x" * 65, "bid 7", "bíd", "a\0", "a\0b", "bid,7", "\ud800", "(", "<"]


def open_ids(desk):
    """The client ids of the resting orders, as views tell them."""
    if desk.money:
        return [each.client_id for each in desk.face.resting("X")]
    return [row["client_id"] for row in desk.face.resting()]


def by_text(desk, name, who, text, **terms):
    return getattr(desk.face, name)(who if desk.money else desk.ids[who], client_id=text, **terms)


@pytest.mark.parametrize("text", LEGAL)
def test_an_order_is_found_by_its_text(order_desk, text):
    """Amended and cancelled by it; views tell it; a second order of that name is refused, another account's is not."""
    first = order_desk.order("a", "buy", 5, 99, client_id=text).ok()
    assert open_ids(order_desk) == [text]
    again = order_desk.order("a", "sell", 1, 105, client_id=text)
    assert (again.code, again.order_id) == (Code.DUPLICATE_CLIENT_ID, first.order_id)
    assert order_desk.order("b", "buy", 5, 98, client_id=text)
    size = {"size": 3} if order_desk.money else {"size_lots": 3}
    assert by_text(order_desk, "amend", "a", text, **size).resting == 3
    assert by_text(order_desk, "cancel", "a", text).order_id == first.order_id
    assert by_text(order_desk, "cancel", "a", text).code == Code.UNKNOWN_ORDER
    assert order_desk.order("a", "buy", 5, 99, client_id=text).code == Code.DUPLICATE_CLIENT_ID


@pytest.mark.parametrize("text", BAD)
def test_a_bad_text_is_refused_before_anything_changes(order_desk, text):
    before = order_desk.face.digest()
    assert order_desk.order("a", "buy", 5, 99, client_id=text).code == Code.BAD_CLIENT_ID
    assert by_text(order_desk, "cancel", "a", text).code == Code.UNKNOWN_ORDER
    assert order_desk.face.digest() == before


@pytest.mark.parametrize("odd", [1.5, None, b"bid-7", True, ["a"]])
def test_what_is_no_client_id_is_refused_by_type(order_desk, odd):
    with pytest.raises(WrongType):
        order_desk.order("a", "buy", 5, 99, client_id=odd)
    with pytest.raises(InputError):
        by_text(order_desk, "cancel", "a", odd)


@pytest.mark.parametrize("number", [1, 2**62 - 1, 2**62, 2**63 - 1])
def test_a_number_stays_a_number(order_desk, number):
    """Also one from the range of texts."""
    order_desk.order("a", "buy", 5, 99, client_id=number).ok()
    assert open_ids(order_desk) == [number]


def test_a_text_is_told_before_its_order_is_accepted(order_desk):
    """CLIENT_ID_NAMED has number and text; `describe` resolves the number in other events."""
    ack = order_desk.order("a", "buy", 5, 99, client_id="bid-7")
    named, accepted = ack.events[1:3]
    assert (named.type, named.name, named.client_id) == (EventType.CLIENT_ID_NAMED, "bid-7", client_number(b"bid-7"))
    assert (accepted.type, accepted.client_id, named.account) == (EventType.ACCEPTED, named.client_id, accepted.account)
    done = by_text(order_desk, "cancel", "a", "bid-7").events[-1]
    if order_desk.money:
        assert order_desk.face.describe(accepted)["client_id"] == order_desk.face.describe(done)["client_id"] == "bid-7"
        assert order_desk.face.describe(named)["name"] == "bid-7"


def test_triggers_expiries_and_self_trade_terms_go_with_a_text(order_desk):
    stop = order_desk.order("a", "buy", 1, 105, client_id="stop", trigger=Trigger.stop(105), tif="gtd", expiry_ns=50).ok()
    ask = order_desk.order("b", "sell", 1, 101, client_id="ask", self_trade="allow").ok()
    if order_desk.money:
        assert [each.client_id for each in order_desk.face.dormant("X")] == ["stop"]
    else:
        assert [row["client_id"] for row in order_desk.face.dormant()] == ["stop"]
    order_desk.mark(105)
    assert order_desk.order("b", "sell", 1, 103, client_id="ask").order_id == ask.order_id
    assert order_desk.order("a", "sell", 1, 107, client_id="stop").order_id == stop.order_id


def raw(text: bytes, number: int | None = None, **fields: int) -> bytes:
    """An ORDER with a text record, by hand."""
    number = client_number(text.rstrip(b"\0")) if number is None else number
    fields = {"account": 16, "price_ticks": 99, "size_lots": 1, "client_id": number} | fields
    return command(CommandType.ORDER, records=3, **fields) + extension() + text.ljust(RECORD_BYTES, b"\0")


@pytest.mark.parametrize("module", [solvent, solvent.reference])
def test_a_text_and_its_number_belong_together(module):
    """A record whose number is another text's, or none, is refused; so is one with anything behind the text."""
    book = module.Book()
    for record in (
        raw(b"bid-7", 7), raw(b"bid-7", client_number(b"bid-8")), raw(b"bid-7", 0), raw(bytes(64), 0), raw(bytes(64), 2**62),
        raw(b"bid-7" + bytes(40) + b"x", client_number(b"bid-7")), raw(b"x" * 37, client_number(b"x" * 37)),
        raw(b"b\xff", client_number(b"b\xff")),
    ):  # fmt: skip
        assert book._kernel.apply(record) == Code.BAD_CLIENT_ID
    assert book._kernel.apply(raw(b"bid-7")) == Code.OK and book.resting()[0]["client_id"] == "bid-7"
    assert book._kernel.apply(raw(b"bid-8", account=16, size_lots=0)) == Code.BAD_SIZE
    assert book._kernel.client_text(16, client_number(b"bid-8")) is None


@pytest.mark.parametrize("module", [solvent, solvent.reference])
def test_a_batch_of_records_has_texts_too(module):
    book = module.Book()
    records = raw(b"one") + command(CommandType.ORDER, account=16, price_ticks=98, size_lots=1) + raw(b"two", price_ticks=97)
    assert book.run(records).code.tolist() == [0, 0, 0]
    assert [row["client_id"] for row in book.resting()] == ["one", 0, "two"]
    with pytest.raises(InputError, match="cut off"):
        book.run(raw(b"three")[:-64])
    with pytest.raises(InputError, match="records"):
        book.run(command(CommandType.ORDER, records=5) + bytes(256))
    assert book.run(command(CommandType.CANCEL, records=3, account=16, order_id=1) + bytes(128)).code[0] == Code.BAD_RECORD


@pytest.mark.parametrize("module", [solvent, solvent.reference])
def test_texts_are_forgotten_with_the_window(module):
    """The oldest text goes with its number, and may come again; a slot or a place that had a text gives it to nobody."""
    book = module.Book(log=())
    book.order(1, "buy", 1, price_ticks=5, client_id="first").ok()
    book.cancel(1, client_id="first").ok()
    number = client_number(b"first")
    assert book._kernel.client_text(1, number) == b"first"
    taken = book.order(1, "buy", 1, price_ticks=5, client_id=5).ok()
    assert book.resting()[0]["client_id"] == 5
    book.cancel(1, taken.order_id).ok()
    place = command(CommandType.ORDER, account=2, tif=1, size_lots=1, price_ticks=1)
    fill = bytearray(place * (CLIENT_ID_WINDOW - 2))
    for i in range(CLIENT_ID_WINDOW - 2):
        fill[64 * i + 40 : 64 * i + 48] = (100 + i).to_bytes(8, "little")
    book.run(bytes(fill))
    assert book._kernel.client_text(1, number) == b"first"
    book.order(2, "buy", 1, price_ticks=1, tif="ioc", client_id="last").ok()
    assert book._kernel.client_text(1, number) is None and book._kernel.client_text(2, client_number(b"last")) == b"last"
    assert book.order(1, "buy", 1, price_ticks=5, client_id="first")


def test_both_kernels_tell_the_same_and_digests_go_by_numbers(seed):
    """Texts and numbers mixed, event by event. An order with the number of a text has the same id, without the text."""
    books = [module.Book(seed=1) for module in (solvent, solvent.reference)]
    for i in range(300):
        text = f"o:{(seed + i * i) % 40}"
        name = text if i % 3 else client_number(text.encode())
        codes = {
            book.order(i % 4, "buy" if i % 2 else "sell", 1 + i % 3, price_ticks=100, client_id=name).code for book in books
        }
        codes |= {book.cancel(i % 5, client_id=text).code for book in books} if i % 7 == 0 else set()
        assert len(codes) <= 2
    views = [book._kernel.view(1, book._kernel.next_seq) for book in books]
    assert bytes(views[0]) == bytes(views[1]) and books[0].digest() == books[1].digest()
    assert books[0].resting() == books[1].resting()
    plain, named = solvent.Book(), solvent.Book()
    plain.order(1, "buy", 1, price_ticks=5, client_id=client_number(b"same")).ok()
    named.order(1, "buy", 1, price_ticks=5, client_id="same").ok()
    assert plain.cancel(1, client_id="same") and named.cancel(1, client_id=client_number(b"same"))


def test_texts_survive_a_journal(tmp_path):
    """They are the third record of their order, so replay has them."""
    with solvent.open(tmp_path / "j", [Instrument("X")], strict=True) as ex:
        ex.deposit("a", "USDT", 10**4)
        ex.mark("X", 50_000)
        ex.order("a", "X", "buy", 1, price=49_000, client_id="bid-7")
        ex.order("a", "X", "buy", 1, price=49_000, client_id="bid-8")
        ex.cancel("a", client_id="bid-8")
        with pytest.raises(Rejected):
            ex.order("a", "X", "buy", 1, price=49_000, client_id="bid-8")
    with solvent.open(tmp_path / "j") as ex:
        assert [each.client_id for each in ex.open_orders("a")] == ["bid-7"]
        assert ex.order("a", "X", "buy", 1, price=49_000, client_id="bid-8").code == Code.DUPLICATE_CLIENT_ID
        assert ex.cancel("a", client_id="bid-7")


def test_the_auditor_reads_past_texts():
    ex = solvent.Exchange([Instrument("X")])
    auditor = Auditor(ex)
    ex.deposit("a", "USDT", 10**4)
    ex.mark("X", 50_000)
    ex.order("a", "X", "buy", 1, price=49_000, client_id="bid-7").ok()
    auditor.follow(decode(memoryview(ex._kernel.view(1, ex._kernel.next_seq))))
    auditor.compare(ex)


def test_the_rule_of_texts():
    assert all(client_text(text.encode().ljust(64, b"\0")) == text.encode() for text in LEGAL)
    numbers = {client_number(str(i).encode()) for i in range(10**4)}
    assert len(numbers) == 10**4 and all(2**62 <= number < 2**63 for number in numbers)
