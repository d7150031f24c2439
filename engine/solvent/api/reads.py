"""What an exchange shows: its venue, its names, views and arrays, each made of what the kernel answers.

Owns the way from a name to a number. Never sends a command. Views are imported when the first is asked for, so that the
package imports fast. Cost: as `views`, `rows` and docs/arrays.md say.
"""

from decimal import Decimal
from typing import TYPE_CHECKING, Any

from solvent.api.base import Face
from solvent.api.describe import described
from solvent.api.names import name_of
from solvent.api.venue import Venue
from solvent.schema.codes import Code, Rejected
from solvent.schema.layouts import NOBODY
from solvent.schema.words import Purse
from solvent.terms.collateral import Collateral
from solvent.terms.instrument import Instrument
from solvent.terms.order_words import any_int, leg_of, whole, wrong_type
from solvent.terms.rule_set import RuleSet

if TYPE_CHECKING:
    import numpy as np

    from solvent.api import views

Acct = str | int
Inst = str | int


class Reads(Face):
    """The reading half of Exchange."""

    _venue: Venue

    @property
    def venue(self) -> Venue:
        """What the exchange is made of, instruments that were added since included."""
        if self._venue.coming is not None:
            self._venue.note(self._kernel.instrument_count)
        return self._venue

    @property
    def instruments(self) -> tuple[Instrument, ...]:
        """By index, those that were added since included."""
        return self.venue.instruments

    @property
    def currencies(self) -> dict[str, Decimal]:
        """The unit of each currency, in the order of their numbers."""
        return self._venue.currencies

    @property
    def rules(self) -> RuleSet:
        return self._venue.rules

    @property
    def collateral(self) -> list[Collateral]:
        """The currencies that back others, in the order in which they are converted."""
        return self._venue.collateral

    # --- names and numbers

    def _account(self, account: Acct) -> int:
        if isinstance(account, str):
            found = self._kernel.account_id(account.encode(errors="surrogatepass"))
            return NOBODY if found is None else int(found)
        if type(account) is not int:
            raise wrong_type("account", account, "a name or an id")
        return account if 0 <= account < self._kernel.account_count else NOBODY

    def _instrument(self, instrument: Inst) -> int:
        venue = self.venue
        if isinstance(instrument, str):
            return venue.instrument_id(instrument)
        if type(instrument) is not int:
            raise wrong_type("instrument", instrument, "a name or an index")
        return instrument if 0 <= instrument < len(venue.instruments) else NOBODY

    def _terms(self, index: int) -> Instrument:
        """The instrument behind an id; for an unknown one any will do, the kernel refuses the command."""
        return self.instruments[index if index != NOBODY else 0]

    def _known_account(self, account: Acct) -> int:
        index = self._account(account)
        if index == NOBODY:
            raise Rejected(Code.UNKNOWN_ACCOUNT)
        return index

    def _known_instrument(self, instrument: Inst) -> int:
        index = self._instrument(instrument)
        if index == NOBODY:
            raise Rejected(Code.UNKNOWN_INSTRUMENT)
        return index

    def account_name(self, account: int) -> str:
        """The name of an account id; the house's purses are in angle brackets. Raises Rejected(UNKNOWN_ACCOUNT)."""
        if not 0 <= any_int(account, "account") < self._kernel.account_count:
            raise Rejected(Code.UNKNOWN_ACCOUNT)
        return name_of(self._kernel, account)

    # --- views

    describe = described

    def account(self, account: Acct) -> "views.AccountView":
        """Balances and positions now. Raises Rejected(UNKNOWN_ACCOUNT)."""
        from solvent.api import views

        return views.account_view(self.venue, self._kernel, self._known_account(account))

    def position(self, account: Acct, instrument: Inst, leg: str | None = None) -> "views.PositionView":
        """One position now; flat if there is none. In hedge mode name the leg: without one this is the one-way position,
        which is flat then and keeps its margin mode and leverage for later. Raises Rejected for unknown names."""
        from solvent.api import views

        known = self._known_account(account), self._known_instrument(instrument)
        return views.position_view(self.venue, self._kernel, *known, leg_of(leg))

    def prices(self, instrument: Inst) -> "views.PriceView":
        """Mark, index, last price and coming funding rate of an instrument. Raises Rejected for an unknown one."""
        from solvent.api import views

        return views.price_view(self.venue, self._kernel, self._known_instrument(instrument))

    def open_orders(self, account: Acct, instrument: Inst | None = None) -> "list[views.OrderView]":
        """Live orders by id, resting and dormant."""
        from solvent.api import views

        wanted = None if instrument is None else self._known_instrument(instrument)
        rows = self._kernel.orders_of(self._known_account(account))
        return [views.order_view(self.venue, self._kernel, row) for row in rows if wanted is None or row[2] == wanted]

    def depth(self, instrument: Inst, n: int = 20) -> "views.Depth":
        """Aggregated levels, best first: bids and asks as (price, contracts)."""
        from solvent.api import views

        return views.depth_view(self.venue, self._kernel, self._known_instrument(instrument), whole(n, "n", 0, 2**62))

    def depth_arrays(self, instrument: Inst, n: int = 20) -> "tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]":
        """(bids, asks), best first: int64 rows (price ticks, lots, orders) of at most n levels, without a Python loop."""
        return self._depth_arrays(self._known_instrument(instrument), whole(n, "n", 0, 2**62))

    def positions_array(self) -> "np.ndarray[Any, Any]":
        """Every open position as a record (schema.columns.POSITION), by account and instrument, without a Python loop."""
        import numpy as np

        from solvent.schema.columns import POSITION

        return np.frombuffer(self._kernel.positions_bytes(), POSITION)

    def liquidations_array(self) -> "np.ndarray[Any, Any]":
        """Where something happens to every open position (schema.columns.LIQUIDATION), in the order of `positions_array`;
        without a Python loop. Cost: two bisections a position, each step a requirement of its margin domain."""
        import numpy as np

        from solvent.schema.columns import LIQUIDATION

        return np.frombuffer(self._kernel.liquidations_bytes(), LIQUIDATION)

    def accounts_array(self) -> "np.ndarray[Any, Any]":
        """Every account and currency as a record (schema.columns.ACCOUNT), in order; without a Python loop.

        currency counts as `currencies` does.
        """
        import numpy as np

        from solvent.schema.columns import ACCOUNT

        return np.frombuffer(self._kernel.accounts_bytes(), ACCOUNT)

    def explain(self, account: Acct) -> "views.Explanation":
        """Every term of an account's margin, its prices, and what would happen next; print it."""
        from solvent.api import views

        return views.explain(self.venue, self._kernel, self._known_account(account))

    def fund(self, currency: str) -> Decimal:
        """The insurance fund's balance."""
        from solvent.api import views

        return views.purse_balance(self.venue, self._kernel, Purse.FUND, self._venue.currency_id(currency))

    def deficit(self, currency: str) -> Decimal:
        """What nobody could pay: zero or negative."""
        from solvent.api import views

        return views.purse_balance(self.venue, self._kernel, Purse.DEFICIT, self._venue.currency_id(currency))

    def residue(self, currency: str) -> Decimal:
        """What divisions among many left over (funding)."""
        from solvent.api import views

        return views.purse_balance(self.venue, self._kernel, Purse.RESIDUE, self._venue.currency_id(currency))

    def parcels(self) -> "list[views.ParcelView]":
        """Positions that the house has taken over and not yet closed, by id."""
        from solvent.api import views

        return [views.parcel_view(self.venue, self._kernel, row) for row in self._kernel.parcels()]
