"""apply(command) -> events: the single writer of the readable kernel, with the compiled kernel's surface.

Owns the clock, the sequence numbers, the names and the canonical state. ext/solvent/_core/kernel has the contract; both
kernels must agree on every event of every command.
"""

import struct
import threading
from collections.abc import Callable, Iterable, Sequence
from copy import deepcopy
from hashlib import blake2b
from typing import NamedTuple, NoReturn

from solvent.schema import commands
from solvent.schema.codes import Code
from solvent.schema.commands import COSTS_OTHERS, Asked, command, read, records_of
from solvent.schema.layouts import COMMAND, EVENT, RECORD_BYTES
from solvent.schema.limits import DAY_NS, FIRST_USER, INSTRUMENTS_MAX, NAME_BYTES, RECORDS_MAX
from solvent.schema.rows import PreviewRow
from solvent.schema.terms import RuleTerms
from solvent.schema.words import Basis, CommandType, EventType, Listing
from solvent.terms.names import account_name
from solvent.terms.spec import Spec, from_records
from solvent.twin import batch, what_if
from solvent.twin.account.ledger import Ledger
from solvent.twin.base.command_log import CommandLog
from solvent.twin.base.emit import Emitter
from solvent.twin.contract.price_model import Prices
from solvent.twin.contract.valuation import Contract
from solvent.twin.liquidation import pipeline
from solvent.twin.liquidation.case import State
from solvent.twin.market.book import Book
from solvent.twin.recorder import Recorder
from solvent.twin.trade.admission import Admission
from solvent.twin.trade.amendment import Amendment
from solvent.twin.trade.attachment import Attachment
from solvent.twin.trade.cancellation import Cancellation
from solvent.twin.trade.lifecycle import Trading
from solvent.twin.trade.order_margin import OrderMargin
from solvent.twin.trade.pegs import Pegs
from solvent.twin.trade.placement import Answer, Placement, refused
from solvent.twin.venue.account_commands import AccountCommands
from solvent.twin.venue.funding import Funding
from solvent.twin.venue.market_state import MarketState
from solvent.twin.venue.marks import Marks

Offer = tuple[bytes, int, Spec] | None  # the decoded records of an ADD_INSTRUMENT


class Plain(NamedTuple):
    """The answer to submit and revoke; truthy if accepted."""

    code: int
    order_id: int
    filled_lots: int
    resting_lots: int

    def __bool__(self) -> bool:
        return self.code == Code.OK


class Aftermath:
    """The end of a command: touched accounts, then fired orders, one at a time."""

    def __init__(self, state: State, placement: Placement):
        self.state = state
        self.placement = placement
        self.pegs = Pegs(placement)

    def resolve_all(self) -> None:
        self.resolve(refused(Code.OK))

    def resolve(self, answer: Answer) -> Answer:
        """Returns a command's answer; if its own order was triggered too, the answer holds the order as it then is."""
        while True:
            if not self.placement.bare:
                pipeline.resolve(self.state)
            self.placement.linked.settle()
            if self.placement.trading.looks:
                self._settle_books()
            fired = self.placement.fire_next()
            if fired is None:
                return answer
            if fired[0] == Code.OK and fired[1] == answer[1]:
                answer = fired

    def _settle_books(self) -> None:
        """Moves pegged orders, works off what this touched, then shows the best prices of the books at rest."""
        if self.pegs.pass_over() and not self.placement.bare:
            pipeline.resolve(self.state)
            self.placement.linked.settle()
        self.placement.trading.look()


class Kernel(Recorder):
    def __init__(
        self,
        instruments: Sequence[Spec],
        currencies: Sequence[int],
        rules: RuleTerms,
        config: bytes,
        errors: tuple[type[Exception], ...],
        bare: bool = False,
        wanted: int = 2**64 - 1,
        names: Sequence[bytes] = (),
        collateral: Sequence[Sequence[int]] = (),
        from_records: Callable[[bytes], Offer] = from_records,
        seed: int = 0,
    ):
        self.instruments = list(names)
        self.from_records = from_records
        self.contracts: list[Contract] = []
        self.config = config
        self.busy_error, self.halted_error, self.type_error, self.range_error, self.input_error = errors
        self.log = Emitter(wanted)
        self.commands = CommandLog()
        self.seed = seed  # seeds the compiled core's table of client ids, which is a dict here
        self.names: list[bytes] = []
        self.ids: dict[bytes, int] = {}
        self.decimals = list(currencies)
        self.ledger = Ledger(self.contracts, len(currencies), rules, collateral, self.log)
        self.admission = Admission(self.ledger, rules)
        self.trading = Trading(self.admission, self.log)
        self.order_margin = OrderMargin(self.trading, rules)
        self.placement = Placement(self.order_margin, bare)
        self.cancellation = Cancellation(self.placement)
        self.amendment = Amendment(self.cancellation)
        self.attachment = Attachment(self.placement)
        self.account_commands = AccountCommands(self.placement)
        self.liquidation = State(self.order_margin)
        self.funding = Funding(self.liquidation)
        self.market_state = MarketState(self.placement.uncrossing)
        self.aftermath = Aftermath(self.liquidation, self.placement)
        self.marks = Marks(self.funding, self.market_state, self.aftermath.resolve_all)
        self.clock_ns = 0
        for spec in instruments:
            self._enter(spec)
        self.bare = bare
        self.command_seq = 0
        self.keep_from = 0
        self.last = (0, 0, 0)
        self.members: list[batch.Member] = []  # of the last batch that was applied
        self.halted = False
        self._midway = False
        self._lock = threading.Lock()

    # --- copies

    def fork(self, loud: bool = False) -> "Kernel":
        """Returns a copy that goes on by itself. Its log begins empty, at the next event's number. loud: all events are
        written."""
        self._check_ready()
        other = deepcopy(self)
        other.log.wanted |= loud * (2**64 - 1)
        return other

    def preview(self, records: Iterable[bytes], account: int, instrument: int, leg: int) -> PreviewRow:
        """Returns what commands would do, one after the other up to the first that is refused."""
        other, code = self.fork(loud=True), 0
        other.last = (0, 0, 0)
        for record in records:
            code = other.apply(record)
            if code:
                break
        order_id, filled, resting = other.last
        taken = what_if.taken(other.log.events, account, order_id)
        currency = other.contracts[instrument].currency
        position, wallet = other.position_row(account, instrument, leg), other.wallet_rows(account)[currency]
        return PreviewRow(code, filled, resting, *taken, tuple(position), tuple(wallet))

    def image(self) -> NoReturn:
        raise self.input_error(
            "an image is memory of the compiled core, and the reference has none; keep its commands in a journal, or fork it"
        )

    def restore(self, blocks: object, sum: int | None = None) -> NoReturn:
        self.image()

    def __getstate__(self) -> dict[str, object]:
        return {name: value for name, value in vars(self).items() if name != "_lock"}

    def __setstate__(self, state: dict[str, object]) -> None:
        vars(self).update(state)
        self._lock = threading.Lock()

    # --- commands

    def apply(self, record: bytes) -> int:
        """Applies one command (64 bytes, more for one of several records) and returns its result code."""
        if not record or records_of(record) * RECORD_BYTES != len(record):
            return Code.BAD_RECORD
        offer = None
        if int.from_bytes(record[:2], "little") == CommandType.ADD_INSTRUMENT:
            offer = self.from_records(record[RECORD_BYTES:])  # before any write
        self._check_ready()
        with self._lock:
            self.log.drop(self.keep_from)
            code = self._whole(record, offer)
        return code

    def _check_ready(self) -> None:
        if self._lock.locked():  # always taken by `with`, so no exception can leave it locked
            raise self.busy_error("the exchange is working on another call; one thread at a time")
        if self.halted:
            raise self.halted_error("an exception from outside cut a command in two and halted the exchange; make a new one")

    def _whole(self, record: bytes, offer: Offer = None) -> Code:
        """Applies one command. An exception in the middle of it (Ctrl-C) halts the exchange for good: only the compiled core
        can keep signal handlers out of a command."""
        try:
            return self._apply(record, offer)
        except BaseException:
            self.halted = self._midway
            raise

    def run(self, records: memoryview) -> bytes:
        """Applies many commands. Returns four 64-bit integers for each: order id, filled lots, resting lots, code."""
        commands = self.divided(bytes(records))
        answers = bytearray()
        if not commands:
            return b""
        self._check_ready()
        with self._lock:
            self.log.drop(self.keep_from)
            for each in commands:
                code = self._whole(each)
                for number in (*self.last, code):
                    answers += (number % 2**64).to_bytes(8, "little")
        return bytes(answers)

    def submit(
        self, account: int, side: int, price_ticks: int, size_lots: int, tif: int = 0, flags: int = 0, client_id: int = 0,
        instrument: int = 0,
    ) -> "Plain":  # fmt: skip
        """Sends an ORDER from integers alone, at the clock's time. Raises the same errors as the compiled kernel."""
        fields = {
            "account": account, "side": side, "price_ticks": price_ticks, "size_lots": size_lots, "tif": tif, "flags": flags,
            "client_id": client_id, "instrument": instrument,
        }  # fmt: skip
        return self._direct(CommandType.ORDER, fields)

    def revoke(self, account: int, order_id: int) -> "Plain":
        """Sends a CANCEL from integers alone, at the clock's time."""
        return self._direct(CommandType.CANCEL, {"account": account, "order_id": order_id})

    def _direct(self, kind: CommandType, fields: dict[str, int]) -> "Plain":
        if any(type(value) is not int for value in fields.values()):
            raise self.type_error(f"{', '.join(fields)}: ints are needed here")
        for name in ("client_id", "order_id"):
            if fields.get(name, 0) >= 2**63:
                raise self.range_error(f"{name} is not from 0 to {2**63 - 1}")
        try:
            record = command(kind, time_ns=self.clock_ns, **fields)
        except struct.error as error:
            raise self.range_error(str(error)) from None
        return Plain(self.apply(record), *self.last)

    def _apply(self, record: bytes, offer: Offer) -> Code:
        self._midway = True
        self.commands.append(record)
        self.command_seq += 1
        code = self._apply_any(record, offer)
        self._midway = False
        return code

    def _apply_any(self, record: bytes, offer: Offer = None) -> Code:
        """Applies a command, or a member of a batch."""
        fields = COMMAND.unpack(record[:RECORD_BYTES])
        c = read(fields)
        side, account, instrument = fields[2:5]
        begin = len(self.log.events)
        self.log.emit_begin(
            side=side, account=account, instrument=instrument, code=Code.OK, command=c.type, time_ns=0, command_seq=0,
            order_id=0, filled_lots=0, resting_lots=0,
        )  # fmt: skip
        seq = self.next_seq - 1
        answer: Answer
        if c.time_ns < self.clock_ns:
            answer = refused(Code.TIME_BACKWARDS)
        else:
            before_ns = self.clock_ns
            self.clock_ns = self.placement.clock_ns = self.trading.fees.clock_ns = self.ledger.past.now_ns = c.time_ns
            self._pass_time(before_ns)
            settles = isinstance(c, commands.SetState) and c.listing == Listing.CLOSED
            self.liquidation.may_cost_others = c.type in COSTS_OTHERS or settles
            answer = self._dispatch(c, record[RECORD_BYTES:], offer)
            if answer[0] == Code.OK:
                answer = self.aftermath.resolve(answer)
        self.market_state.indicate()
        code, *last = answer
        self.last = (last[0], last[1], last[2])
        if self.log.wanted >> EventType.BEGIN & 1:
            self.log.events[begin] = EVENT.pack(
                EventType.BEGIN, 1, side, account, instrument, code, c.type, seq,
                self.clock_ns, self.command_seq, *self.last,
            )  # fmt: skip
        return code

    def _batch(self, c: commands.Batch, data: bytes) -> Answer:
        """Executes BATCH: a copy takes the members first, up to the first that is refused."""
        if c.records:
            return refused(Code.BAD_RECORD)
        members, code, at = batch.members_of(c, data)
        if code == Code.OK:
            tried, code = batch.apply_members(members, deepcopy(self)._apply_member)
            at = len(tried)
        if code == Code.OK:
            self.members, code = batch.apply_members(members, self._apply_member)
        return code, 0, at, 0

    def _apply_member(self, record: bytes) -> batch.Member:
        begin = self.next_seq
        code = self._apply_any(record)
        return *self.last, code, begin

    def _pass_time(self, before_ns: int) -> None:
        """Applies the passing of time: dates and timers, then prices, funding, fees. PASSED ends its events, if it has any."""
        self.cancellation.reach(self.clock_ns)
        self.liquidation.may_cost_others = False
        if self.market_state.end_calls(self.clock_ns) or self.trading.triggers.due:
            self.aftermath.resolve_all()
        if self.clock_ns == before_ns:
            return
        seq, self.liquidation.may_cost_others = self.next_seq, True
        if self.trading.looks:
            self.aftermath.resolve_all()
        self.marks.pass_to(self.clock_ns)
        if self.trading.fees.counts and self.clock_ns // DAY_NS > before_ns // DAY_NS:
            self.trading.fees.renew()
            self.aftermath.resolve_all()
        if self.next_seq > seq:
            self.log.emit_passed()

    def _dispatch(self, c: Asked, second: bytes, offer: Offer) -> Answer:
        longer = {CommandType.ORDER: 5, CommandType.OPEN_ACCOUNT: 2, CommandType.ATTACH: 2}
        longer[CommandType.ADD_INSTRUMENT] = RECORDS_MAX
        if c.records > longer.get(c.type, 1):  # type: ignore[call-overload]
            return refused(Code.BAD_RECORD)
        match c:
            case commands.PlaceOrder():
                return self.placement.place(c, second)
            case commands.CancelOrder():
                return self.cancellation.cancel_one(c)
            case commands.AmendOrder():
                return self.amendment.amend(c)
            case commands.AmendTrigger():
                return self.amendment.amend_trigger(c)
            case commands.MassCancel():
                return self.cancellation.cancel_many(c)
            case commands.SetTimer():
                return refused(self.cancellation.set_timer(c))
            case commands.Disconnect():
                return self.cancellation.disconnect(c)
            case commands.TellMark():
                return refused(self.marks.mark(c))
            case commands.TellIndex():
                return refused(self.marks.index(c))
            case commands.TellLast():
                return refused(self.marks.last(c))
            case commands.Advance():
                return refused(Code.OK)
            case commands.Batch():
                return self._batch(c, second)
        return refused(Code.UNKNOWN_COMMAND) if self.bare else self._dispatch_exchange(c, second, offer)

    def _dispatch_exchange(self, c: Asked, second: bytes, offer: Offer) -> Answer:
        """Executes a command that only an exchange knows."""
        match c:
            case commands.Deposit():
                return refused(self.account_commands.deposit(c))
            case commands.SeedFund():
                return refused(self.account_commands.seed_fund(c))
            case commands.Withdraw():
                return refused(self.account_commands.withdraw(c))
            case commands.Transfer():
                return refused(self.account_commands.transfer(c))
            case commands.SetLeverage():
                return refused(self.account_commands.set_leverage(c))
            case commands.MoveMargin():
                return refused(self.account_commands.move_margin(c))
            case commands.Halt():
                return refused(self.market_state.halt(c))
            case commands.SetState():
                return refused(self.market_state.set_state(c))
            case commands.Settle():
                return refused(self.market_state.close_instrument(c))
            case commands.TellSource():
                return refused(self.marks.source(c))
            case commands.SetPositionMode():
                return refused(self.account_commands.set_position_mode(c))
            case commands.SettleFunding():
                return refused(self.marks.fund(c))
            case commands.OpenAccount():
                return self._open_account(c, second)
            case commands.AttachPair():
                return self.attachment.attach(c, second)
            case commands.AddInstrument():
                return self._add_instrument(second, offer)
        return refused(Code.UNKNOWN_COMMAND)

    def _open_account(self, c: commands.OpenAccount, padded: bytes) -> Answer:
        if c.records != 2:
            return refused(Code.BAD_RECORD)
        name = account_name(padded)
        if name is None:
            return refused(Code.BAD_NAME)
        if name in self.ids:
            return refused(Code.ACCOUNT_EXISTS)
        parent = c.parent
        if parent and (not FIRST_USER <= parent < self.account_count or self.ledger.parents[parent]):
            return refused(Code.UNKNOWN_ACCOUNT)
        account = self.ledger.open_account(parent)
        self.ids[name] = account
        self.names.append(name)
        self.log.emit_account_opened(account=account, parent=parent, second=padded)
        return Code.OK, account, 0, 0

    def _add_instrument(self, data: bytes, offer: Offer) -> Answer:
        """Executes ADD_INSTRUMENT: a name and the words of a spec (solvent.terms.spec). The answer's order id is the
        instrument."""
        if offer is None:
            return refused(Code.BAD_INSTRUMENT)
        name, currency, spec = offer
        if name in self.instruments:
            return refused(Code.INSTRUMENT_EXISTS)
        if not 0 <= currency < self.ledger.currencies:
            return refused(Code.UNKNOWN_CURRENCY)
        expired = spec.expiry_ns and spec.expiry_ns <= self.clock_ns
        alien = self.decimals[currency] != spec.decimals
        netted = spec.basis == Basis.NET and not self.order_margin.rules.net_hedges
        uncertain = currency in self.ledger.backs and not spec.adds_up
        if expired or alien or netted or uncertain or len(self.contracts) >= INSTRUMENTS_MAX:
            return refused(Code.BAD_INSTRUMENT)
        instrument = len(self.contracts)
        self._enter(spec.settled_in(currency))
        self.instruments.append(name)
        self.config = blake2b(self.config + data).digest()[:32]
        padded = name.ljust(NAME_BYTES, b"\0")
        self.log.emit_instrument_added(instrument=instrument, currency=currency, second=padded)
        return Code.OK, instrument, 0, 0

    def _enter(self, spec: Spec) -> None:
        """Adds an instrument to every room that numbers instruments."""
        contract = Contract.of(spec)
        self.contracts.append(contract)
        self.ledger.members.append([])
        self.trading.books.append(Book())
        self.trading.fees.counts = self.trading.fees.counts or bool(contract.fee_tiers)
        self.trading.triggers.enter(contract.max_price_ticks)
        self.marks.models.append(Prices(contract, spec.prices, self.clock_ns) if spec.prices else None)
