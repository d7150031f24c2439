"""The crowd of a world, readable: traders without intelligence, who look at the touch and at their own position.

Owns what they do, and the price of a world. `ext/solvent/_core/crowd` does the same compiled, and a test holds both together.
Never keeps a state: a world is an exchange and one row of whole numbers (COLUMNS). Each decision is a hash of (seed, account,
step).
Cost: a trader costs some dozen microseconds here.
"""

from dataclasses import dataclass
from typing import Any

from solvent.lab.market.commands import ENTRY_SLIP_BP
from solvent.lab.market.draws import Purpose, below_int, draw_int
from solvent.schema.commands import command
from solvent.schema.limits import FINE, FIRST_USER
from solvent.schema.words import CommandType, EventType, Side, Tif

__all__ = ["COLUMNS", "COUNTED", "CROWD", "TELL", "Terms", "advance", "leverage_of"]

COLUMNS = (
    "seed", "jump_most", "fine", "step", "looks", "orders", "cancels", "trades", "deposits", "refusals", "liquidations",
    "deleveraged",
)  # fmt: skip
"""A world's row. jump_most: the highest of a step's draws, less 2**63, that lets its price jump. fine: its price in
millionths of a tick. step: the steps that it has gone. looks: steps of its traders, some of which sent a command.
trades: how many orders traded at once. refusals: commands that were refused. liquidations: judgements that an account
lacks margin. deleveraged: closings of winners."""
COUNTED = (EventType.LIQUIDATION, EventType.ADL)
TELL, CROWD = 1, 2  # the halves of a step: the index is told, then the traders act
NORMAL = 2_000  # the deviation of a sum of twelve draws from -1,000 to 1,000
PATH_DRAWS = 12
LIVE_MOST = 3  # orders of a trader that rest


@dataclass(frozen=True, slots=True)
class Terms:
    """Holds what all worlds of a set share, whole numbers alone: the compiled crowd reads them in this order.

    drawn: 1 if each world draws its price. least_fine, most_fine: its bounds. lot_units: the worth of a lot at one tick.
    act: in how many of 1,024 steps a trader does something. A draw below `take` takes what is offered; one below `cancel`
    cancels an order.
    """

    agents: int
    wallet_units: int
    lot_units: int
    most_lots: int
    drawn: int = 0
    volatility_bp: int = 0
    jump_bp: int = 0
    least_fine: int = 0
    most_fine: int = 0
    act: int = 325
    take: int = 80
    cancel: int = 190
    slip_bp: int = ENTRY_SLIP_BP
    closer: int = 40


def leverage_of(bits: int) -> int:
    """Returns the leverage that 64 random bits choose: each of six as likely."""
    return (3, 5, 10, 20, 50, 100)[below_int(bits, 6)]


def _price(terms: Terms, row: Any, prices: Any, step: int) -> int:
    """Returns the index of a step in ticks, 0 if it is not told, and notes it in the row."""
    if not terms.drawn:
        return int(prices[step])
    seed = int(row[0])
    draws = (below_int(draw_int(seed, step, Purpose.PATH, each), 2_001) - 1_000 for each in range(PATH_DRAWS))
    move = sum(draws) * terms.volatility_bp
    if terms.jump_bp and draw_int(seed, step, Purpose.JUMP) - 2**63 <= int(row[1]):
        move += NORMAL * terms.jump_bp * (1 - 2 * below_int(draw_int(seed, step, Purpose.JUMP, 1), 2))
    fine = int(row[2])
    fine = max(terms.least_fine, min(terms.most_fine, fine + fine * move // (10_000 * NORMAL)))
    row[2] = fine
    return fine // FINE if prices[step] else 0


def _decided(terms: Terms, kernel: Any, account: int, bits: int) -> dict[str, Any] | None:
    """Returns the command of a trader who has seen the touch and what he has; None if he waits."""
    bid, _, ask, _ = kernel.best(0)
    _, _, size, _, _, times, *_ = kernel.positions(account)[0]
    act = bits & 1023
    if act >= terms.act:
        return None
    orders = [row[0] for row in kernel.orders_of(account)]
    if size == 0 and not orders and kernel.wallet(account, 0)[0] < terms.wallet_units >> 3:
        return {"kind": CommandType.DEPOSIT, "amount_units": terms.wallet_units}
    if len(orders) >= LIVE_MOST or (orders and terms.take <= act < terms.cancel):
        return {"kind": CommandType.CANCEL, "order_id": max(orders)}
    mark = kernel.prices(0)[0]
    most = min(terms.most_lots, terms.wallet_units * times // (terms.lot_units * mark))
    lots, side = 1 + ((bits >> 11 & 255) * most >> 9), bits >> 10 & 1
    if abs(size + (lots if side == Side.BUY else -lots)) > most:
        side = Side.SELL if size > 0 else Side.BUY
    outward = -1 if side == Side.BUY else 1
    if act < terms.take and (ask if side == Side.BUY else bid):
        price, tif = mark - outward * (mark * terms.slip_bp // 10_000), Tif.IOC
    else:
        price, tif = mark + outward * (mark * ((bits >> 19 & 255) - terms.closer) >> 17), Tif.GTC
    return {"kind": CommandType.ORDER, "side": side, "size_lots": lots, "price_ticks": max(1, price), "tif": tif}


def _traded(terms: Terms, kernel: Any, row: Any, step: int, time_ns: int) -> None:
    """Lets each trader act once, from one that is drawn on."""
    seed = int(row[0])
    first = below_int(draw_int(seed, 0, Purpose.TURN, step), terms.agents)
    for each in range(terms.agents):
        account = FIRST_USER + (first + each) % terms.agents
        wish = _decided(terms, kernel, account, draw_int(seed, account, Purpose.CROWD, step))
        row[4] += 1
        if wish is None:
            continue
        kind = wish.pop("kind")
        code = kernel.apply(command(kind, account=account, time_ns=time_ns, **wish))
        row[{CommandType.ORDER: 5, CommandType.CANCEL: 6, CommandType.DEPOSIT: 8}[kind]] += 1
        row[7] += kind == CommandType.ORDER and kernel.last[1] > 0
        row[9] += code != 0


def advance(faces: Any, rows: Any, terms: Terms, prices: Any, times_ns: Any, parts: int, until: int) -> None:
    """Brings worlds to a step, the first half of it or the second or both. prices: the index in ticks, any where it is
    drawn; 0 where it is not told.

    faces: their exchanges. rows: whole numbers, a row of COLUMNS for each world.
    """
    for face, row in zip(faces, rows, strict=True):
        kernel, events = face._kernel, face.cursor(*COUNTED)
        for step in range(int(row[3]), until):
            if parts & TELL and (ticks := _price(terms, row, prices, step)):
                kernel.apply(command(CommandType.INDEX, time_ns=int(times_ns[step]), price_ticks=ticks))
            if parts & CROWD:
                _traded(terms, kernel, row, step, int(times_ns[step]))
                row[3] = step + 1
        for event in events:
            row[10 if event.type == EventType.LIQUIDATION else 11] += 1
        events.close()
