"""ATTACH: a target and a stop for a position, which cancel each other (semantics §20).

Owns the checks and the execution of this command. Never opens a position, nor touches another account's.
"""

from solvent.schema.codes import Code
from solvent.schema.commands import AttachPair
from solvent.schema.layouts import BRACKET, BRACKET_FIELDS
from solvent.schema.limits import TAGS_MAX
from solvent.schema.states import CALLS
from solvent.schema.words import Arm, Leg, Listing, SelfTrade, Side
from solvent.twin.account.ledger import Position
from solvent.twin.market.book import Bracket, ExtendedTerms
from solvent.twin.trade.linked import count_of
from solvent.twin.trade.placement import Answer, Placement, refused
from solvent.twin.trade.state import Fields, Ticket


class Attachment:
    def __init__(self, placement: Placement):
        self.placement = placement
        self.linked = placement.linked
        self.contracts = placement.contracts

    def attach(self, c: AttachPair, more: bytes) -> Answer:
        """Executes ATTACH. The children wait for the end of the command, then they are sized and may trade."""
        if c.records != 2:
            return refused(Code.BAD_RECORD)
        h = Fields(zip(BRACKET_FIELDS, BRACKET.unpack(more), strict=True))
        if code := self._check_form(c, h):
            return refused(code)
        contract, p = self.contracts[c.instrument], self.placement.ledger.blank(c.account, c.instrument, c.leg)
        terms = ExtendedTerms(stp_group=c.stp_group, stp_mode=c.stp_mode, leg=c.leg, tag=c.tag)
        t = Ticket(c.account, c.instrument, p, c.side, 0, c.size_lots, terms=terms, comes_with=count_of(h) - 1)
        if code := self._check_position(t, p, h):
            return refused(code)
        if contract.limits:
            if contract.limits.full(c.account, self.placement.clock_ns):
                return refused(Code.TOO_MANY_MESSAGES)
            contract.limits.count(c.account, self.placement.clock_ns)
        bracket = Bracket(Arm.AS_FILLED if c.size_lots else Arm.FOLLOWS, filled=c.size_lots)
        first = self.linked.bring(t, h, bracket)
        self.placement.trading.brackets.mark(bracket)
        return Code.OK, first, 0, 0

    def _check_form(self, c: AttachPair, h: Fields) -> Code:
        if code := self.placement.check_names(c.account, c.instrument):
            return code
        contract = self.contracts[c.instrument]
        if c.side > Side.SELL:
            return Code.BAD_SIDE
        if not 0 <= c.size_lots <= contract.max_size_lots:
            return Code.BAD_SIZE
        if c.stp_mode > SelfTrade.ALLOW or c.stp_group < 0:
            return Code.BAD_SELF_TRADE
        if c.tag > TAGS_MAX:
            return Code.BAD_TAG
        if code := self.placement.check_leg(c.account, c.instrument, c.leg):
            return code
        if h.arm or c.leg == (Leg.LONG if c.side == Side.BUY else Leg.SHORT):
            return Code.BAD_BRACKET
        return self.linked.check(contract, c.side, h)

    def _check_position(self, t: Ticket, p: Position, h: Fields) -> Code:
        """Checks that there is something to close now, and room for the children."""
        contract = self.contracts[t.instrument]
        if contract.listing == Listing.ONLY_POST:
            return Code.NOT_IN_THIS_STATE
        if contract.listing and contract.listing not in CALLS:
            return Code.NOT_TRADING
        if (p.size if t.side == Side.SELL else -p.size) <= 0:
            return Code.REDUCE_ONLY_WOULD_OPEN
        if not self.linked.has_room(p, h):
            return Code.TOO_MANY_ORDERS
        return Code.OK if self.placement.allows_live(contract, t) else Code.TOO_MANY_OPEN_ORDERS
