"""Command records by the column, for the first instrument. Owns how a demo's intent becomes records; never sends them."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from solvent.lab.market.draws import Bools, Ints
from solvent.schema.layouts import RECORD_BYTES, dtype
from solvent.schema.limits import NAME_BYTES
from solvent.schema.words import CommandType, Flag, Mode, Side, Source, Tif, TriggerKind

Commands = npt.NDArray[np.void]
OrderIds = npt.NDArray[np.uint64]
ENTRY_SLIP_BP = 40  # how far from the mark a trader opens
_BYTES = np.dtype((np.void, RECORD_BYTES))
RECORD, EXTENSION = dtype("command"), dtype("extension")


def stamped(batch: Commands, time_ns: int, symbol: int, records: int = 1) -> Commands:
    """Writes time and instrument into commands of so many records each, and returns them."""
    batch["time_ns"][::records] = time_ns
    batch["instrument"][::records] = symbol
    return batch


def joined(parts: Sequence[Commands]) -> Commands:
    """Returns records one after another. As plain bytes: NumPy compares the fields of structured arrays at each join."""
    return np.concatenate([part.view(_BYTES) for part in parts]).view(RECORD)


def blank(kind: CommandType, count: int) -> Commands:
    """Returns records of one type with all other fields zero."""
    rows = np.zeros(count, dtype=RECORD)
    rows["type"], rows["records"] = kind, 1
    return rows


def open_accounts(names: list[str], time_ns: int) -> Commands:
    """Returns two records an account: the command and the name."""
    rows = np.zeros((len(names), 2), dtype=RECORD)
    rows["type"][:, 0], rows["records"][:, 0] = CommandType.OPEN_ACCOUNT, 2
    rows["time_ns"][:, 0] = time_ns
    packed = np.array([name.encode() for name in names], dtype=f"S{NAME_BYTES}")
    rows.view(np.uint8).reshape(len(names), 2, NAME_BYTES)[:, 1] = packed.view(np.uint8).reshape(-1, NAME_BYTES)
    return rows.ravel()


def pay(kind: CommandType, accounts: Ints, units: Ints) -> Commands:
    """Returns DEPOSIT or MOVE_MARGIN records for the first currency or instrument."""
    rows = blank(kind, len(accounts))
    rows["account"], rows["amount"] = accounts, units
    return rows


def set_leverage(accounts: Ints, leverage: Ints, cross: Bools) -> Commands:
    rows = blank(CommandType.SET_LEVERAGE, len(accounts))
    rows["account"], rows["amount"] = accounts, leverage
    rows["mode"] = np.where(cross, Mode.CROSS, Mode.ISOLATED)
    return rows


def entry_limit(mark_ticks: int, side: Ints) -> Ints:
    """Returns the worst price at which a trader opens. side: 1 to buy, -1 to sell."""
    return mark_ticks + np.sign(side) * (mark_ticks * ENTRY_SLIP_BP // 10_000)


def orders(accounts: Ints, lots: Ints, reduce_only: Bools, mark_ticks: int) -> Commands:
    """Returns immediate-or-cancel orders of signed lots: opening ones near the mark, closing ones at market."""
    rows = blank(CommandType.ORDER, len(accounts))
    rows["account"], rows["size_lots"] = accounts, np.abs(lots)
    rows["side"] = np.where(lots > 0, Side.BUY, Side.SELL)
    rows["tif"] = Tif.IOC
    rows["flags"] = np.where(reduce_only, int(Flag.MARKET | Flag.REDUCE_ONLY), 0)
    rows["price_ticks"] = np.where(reduce_only, 0, entry_limit(mark_ticks, lots))
    return rows


def stops(accounts: Ints, sizes: Ints, trigger_ticks: Ints) -> Commands:
    """Returns two records a stop: it watches the mark and closes a position of a signed size, with which it also ends."""
    rows = np.zeros((len(accounts), 2), dtype=RECORD)
    first = rows[:, 0]
    first["type"], first["records"] = CommandType.ORDER, 2
    first["account"], first["side"] = accounts, np.where(sizes > 0, Side.SELL, Side.BUY)
    first["tif"], first["flags"] = Tif.IOC, int(Flag.MARKET | Flag.REDUCE_ONLY | Flag.CLOSE_POSITION)
    second = np.zeros(len(accounts), dtype=EXTENSION)
    second["trigger_ticks"], second["trigger_source"], second["trigger_kind"] = trigger_ticks, Source.BY_MARK, TriggerKind.STOP
    rows[:, 1] = second.view(RECORD)
    return rows.ravel()


def targets(accounts: Ints, sizes: Ints, price_ticks: Ints) -> Commands:
    """Returns reduce-only orders that rest, each for a whole position of a signed size."""
    rows = blank(CommandType.ORDER, len(accounts))
    rows["account"], rows["size_lots"], rows["price_ticks"] = accounts, np.abs(sizes), price_ticks
    rows["side"], rows["flags"] = np.where(sizes > 0, Side.SELL, Side.BUY), Flag.REDUCE_ONLY
    return rows


def tell_index(price_ticks: int) -> Commands:
    rows = blank(CommandType.INDEX, 1)
    rows["price_ticks"] = price_ticks
    return rows
