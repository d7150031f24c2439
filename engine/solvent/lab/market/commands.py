"""Command records by the column. Owns how a demo's intent becomes records; never sends them."""

import numpy as np
import numpy.typing as npt

from solvent.lab.market.draws import Bools, Ints
from solvent.schema.layouts import dtype
from solvent.schema.limits import NAME_BYTES
from solvent.schema.words import CommandType, Flag, Mode, Side, Tif

Commands = npt.NDArray[np.void]
OrderIds = npt.NDArray[np.uint64]
ENTRY_SLIP_BP = 40  # how far from the mark a trader opens
RECORD = dtype("command")


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


def mark(price_ticks: int) -> Commands:
    rows = blank(CommandType.MARK, 1)
    rows["price_ticks"] = price_ticks
    return rows
