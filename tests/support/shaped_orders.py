"""What a wide stream asks of orders besides price and size: how triggers trail, which prices they watch, where they move.

Owns the choices, from the generator's second source of numbers: the same seed without `wide` gives the same stream as ever.
"""

from random import Random

from solvent.records import CommandType, Flag, Peg, ShapeFlag, Source, Tif, TriggerKind
from solvent.schema.commands import bracket, command, shape
from solvent.schema.layouts import COMMAND, COMMAND_FIELDS, EXTENSION, EXTENSION_FIELDS
from support.linked_orders import bracketed

PLAIN_SOURCES = (Source.BY_MARK, Source.BY_LAST, Source.BY_INDEX)


class Draft:
    """An ORDER's records, by the names of their fields."""

    def __init__(self, record: bytes):
        self.head = dict(zip(COMMAND_FIELDS, COMMAND.unpack(record[:64]), strict=True))
        self.second = dict(zip(EXTENSION_FIELDS, EXTENSION.unpack(record[64:128] or bytes(64)), strict=True))
        self.text = record[128:]
        self.shape: dict[str, int] = {}
        self.bracket: dict[str, int] = {}

    def record(self) -> bytes:
        third = shape(**self.shape) if self.shape else b""
        self.head["flags"] |= Flag.SHAPED_ORDER if third else 0
        third += bracket(**self.bracket) if self.bracket else b""
        data = EXTENSION.pack(*self.second.values()) + third + self.text
        self.head["records"] = 1 + len(data) // 64
        return COMMAND.pack(*self.head.values()) + data


def _trail(r: Random, draft: Draft, mark: int, span: int) -> None:
    """An activation on either side, a step, a limit that trails."""
    second = draft.second
    if r.random() < 0.5:
        second["trigger_ticks"] = max(1, mark + r.randint(-span, span))
    if r.random() < 0.4:
        draft.shape["step_ticks"] = r.choice([1, 2, 7, span])
    if r.random() < 0.4:
        draft.head["flags"] &= ~(Flag.MARKET | Flag.POST_ONLY | Flag.SLIDE)
        draft.head["price_ticks"] = second["slippage_ppb"] = 0
        draft.shape |= {"peg": Peg.PEG_TRIGGER, "offset_ticks": r.randint(-span, span)}


def _kind(r: Random, draft: Draft) -> None:
    """An iceberg, a hidden order, all or none, market to limit; sometimes what does not go together."""
    head, size = draft.head, max(1, draft.head["size_lots"])
    stays = r.random() < 0.7
    if stays and head["tif"] in (Tif.IOC, Tif.FOK):
        head["tif"] = Tif.GTC
    if head["flags"] & Flag.MARKET:
        if stays and head["tif"] == Tif.GTC:
            draft.shape["shape_flags"] = ShapeFlag.TO_LIMIT | r.choice([0, ShapeFlag.ONE_LEVEL])
        return
    kind = r.random()
    if kind < 0.45:
        draft.shape["display_lots"] = min(size, r.choice([1, 1, 2, 3, max(1, size // 3)]))
    elif kind < 0.65:
        draft.shape["shape_flags"] = ShapeFlag.HIDDEN
    elif kind < 0.95:
        draft.shape["shape_flags"] = ShapeFlag.ALL_OR_NONE
        head["flags"] &= ~(Flag.POST_ONLY | Flag.SLIDE | (Flag.REDUCE_ONLY if r.random() < 0.8 and size else 0))
    else:
        draft.shape |= {"shape_flags": r.randrange(16), "display_lots": r.choice([0, 1, size + 1])}


def _peg(r: Random, draft: Draft, span: int) -> None:
    """A price that follows another, near or far; sometimes with what does not go with it."""
    head, peg = draft.head, Peg(r.randint(Peg.PEG_BID, Peg.PEG_MARK))
    if r.random() < 0.95:
        head["flags"] &= Flag.LINKED
        draft.second["slippage_ppb"] = 0
        head["tif"] = head["tif"] if head["tif"] in (Tif.GTC, Tif.GTD) else Tif.GTC
    if r.random() < 0.6:
        head["price_ticks"] = 0
    draft.shape = {"peg": peg, "offset_ticks": r.choice([0, 0, 1, -1, 2, -2, r.randint(-span, span)])}
    if r.random() < (0.3 if peg == Peg.PEG_MID else 0.02):
        draft.shape["shape_flags"] = ShapeFlag.INWARDS


def reshaped(r: Random, record: bytes, mark: int, volatility: int, linking: Random | None) -> bytes:
    """An ORDER as it was, or with other terms, or with a bracket."""
    span = mark * volatility // 5_000 + 2
    if linking and record[0] == CommandType.ORDER and linking.random() < 0.3:
        draft = Draft(record)
        bracketed(linking, draft, mark, span)
        if draft.head["tif"] in (Tif.GTC, Tif.GTD) and linking.random() < 0.1:
            _peg(linking, draft, span)
        return draft.record()
    if record[0] != CommandType.ORDER or r.random() < 0.6:
        return record
    draft = Draft(record)
    if draft.second["trigger_kind"] and r.random() < 0.4:
        draft.second["trigger_source"] = r.choice([Source.BY_BID, Source.BY_ASK])
    if draft.second["trigger_kind"] >= TriggerKind.TRAIL_TICKS:
        _trail(r, draft, mark, span)
    elif r.random() < 0.02:
        draft.shape["offset_ticks"] = 1  # of nothing
    plain = not draft.head["flags"] & Flag.CLOSE_POSITION
    if plain and not draft.second["trigger_kind"] and r.random() < 0.15:
        _peg(r, draft, span)
    elif plain and r.random() < 0.6:
        _kind(r, draft)
    return draft.record() if draft.shape or draft.second["trigger_kind"] else record


def moved_trigger(r: Random, time_ns: int, row: tuple[int, ...], span: int) -> bytes:
    """Moves the trigger of a live order, near or far, or where it is."""
    to = r.choice([row[12], row[12] + r.randint(-span, span), row[12] + r.randint(-3, 3), 0])
    named = {"order_id": row[0]} if not row[7] or r.random() < 0.6 else {"client_id": row[7]}
    account = row[1] if r.random() < 0.95 else row[1] + 1
    return command(CommandType.AMEND_TRIGGER, time_ns=time_ns, account=account, trigger_ticks=max(0, to), **named)
