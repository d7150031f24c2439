"""A bot against every row of the table of faults: one market, one gateway and one run for each, and what was wrong at its end.

Owns the course of a run: the bot steps at every third step of the market; the fault is there from the beginning, or strikes
once the bot has a position. Then all is calm again, and the bot has some steps to be right. Never looks into a bot.
Cost: a row takes about as long as the bot's requests.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Protocol

from solvent.lab.market.driver import SECOND_NS, Driver
from solvent.schema.words import EventType
from solvent.terms.decimals import Dec, decimal, plain
from solvent.testing.asserts import assert_conserved, assert_no_duplicate_orders
from solvent.testing.fault_table import BATCHES, ROWS, Fault, Where, row
from solvent.testing.fixtures import CREDENTIALS, Venue
from solvent.testing.strikes import strike

__all__ = ["Outcome", "Steps", "sweep", "trial"]

BOT = CREDENTIALS["apiKey"]
SCENARIO = "whipsaw"
PACE = 3  # steps of the market to one of the bot
CALM = 10  # steps of the bot at the end without a fault
STILL = 3  # steps at the very end, while the market stands: out, in, protect
ASLEEP = 5  # steps that the bot misses after a strike
EARLY = 8  # the step from which a market is struck, and at which an outage passes
OFTEN = "0.5"  # of the messages that a row may strike


class Steps(Protocol):
    """A bot, as a run sees it."""

    def step(self) -> object:
        """Does what there is to do now."""

    def close(self) -> object:
        """Ends its connections."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """Tells how a run ended. fault: the row, None for none. wrong: what was wrong, "" if nothing was. struck: how often."""

    fault: str | None
    wrong: str
    struck: int

    def __bool__(self) -> bool:
        return not self.wrong


Judge = Callable[[Any, Any], None]
"""Called with the exchange and the bot; raises AssertionError for what is wrong."""


def _struck_by(venue: Venue, fault: Fault | None) -> Callable[[], int]:
    """Sets a fault that strikes messages, and returns what counts how often it struck; a market is struck once."""
    if fault is None or fault.where == Where.MARKET:
        return lambda: int(fault is not None)
    once = bool(fault.wait_ns or fault.span_ns)  # which takes long
    faults = venue.faults(fault.name, chance=1 if once or fault.on == BATCHES else OFTEN, most=int(once))
    return lambda: len(faults.struck)


def _pass(market: Driver, steps: int) -> None:
    for _ in range(steps):
        market.step()


def _play(venue: Venue, bot: Steps, fault: Fault | None) -> None:
    """Lets the bot step through the scenario, with a fault in it."""
    market, steps = venue.market, len(venue.market) // PACE
    pending = fault is not None and fault.where == Where.MARKET
    for step in range(steps):
        if step == steps - CALM:
            venue.gateway.faults = None
        bot.step()
        if fault is not None and fault.where == Where.BEFORE and fault.span_ns and step == EARLY:
            market.advance(fault.span_ns // SECOND_NS)
        if pending and fault is not None and step >= EARLY and market.exchange.position(BOT, market.instrument).size:
            strike(fault.name, market, BOT)
            _pass(market, ASLEEP * PACE)
            pending = False
        _pass(market, PACE)
    if pending:
        raise AssertionError(f"{BOT} never had a position that could be struck")
    for _ in range(STILL):
        bot.step()


def _judge(exchange: Any, within: tuple[Dec | None, Dec | None]) -> None:
    """Looks for what no bot may do."""
    assert_conserved(on=exchange)
    assert_no_duplicate_orders(BOT, on=exchange)
    number = exchange.account(BOT).account_id
    sizes = [event.size_lots for event in exchange.cursor(EventType.POSITION, begin=1) if event.account == number]
    if not sizes:
        raise AssertionError(f"{BOT} never traded")
    lot, (low, high) = exchange.instruments[0].lot_size, within
    least, most = min(sizes) * lot, max(sizes) * lot
    if low is not None and least < decimal(low, "within") or high is not None and most > decimal(high, "within"):
        raise AssertionError(f"{BOT} had positions of {plain(least)} to {plain(most)} contracts; {low} to {high} are allowed")


def trial(
    make: Callable[[Any], Steps], fault: str | None, *, judge: Judge | None = None, seed: int = 1, scenario: str = SCENARIO,
    within: tuple[Dec | None, Dec | None] = (None, None),
) -> Outcome:  # fmt: skip
    """Runs a bot against one row of the table, or without a fault.

    make: makes the bot for a gateway; it logs in as "bot". judge: looks for what else is wrong at the end. scenario: names the
    market. within: the lowest and the highest position that the bot may ever have, in contracts (below 0: short). An
    exception of the bot is wrong, too.
    """
    found, wrong = None if fault is None else row(fault), ""
    with Venue(seed, ".", ((scenario,), {"depth": 50})) as venue:
        bot = make(venue.gateway)
        struck = _struck_by(venue, found)
        try:
            _play(venue, bot, found)
            venue.gateway.do(lambda real: _judge(real, within))
            if judge is not None:
                judge(venue.exchange, bot)
        except Exception as error:  # whatever it is, the bot did not survive it
            wrong = f"{type(error).__name__}: {error}"
        finally:
            bot.close()
        return Outcome(fault, wrong, struck())


def sweep(make: Callable[[Any], Steps], names: Iterable[str] | None = None, **terms: Any) -> list[Outcome]:
    """Runs a bot against rows of the table (None: all of them). terms: as for trial."""
    return [trial(make, name, **terms) for name in ([each.name for each in ROWS] if names is None else names)]
