"""The words for a liquidation that `why` tells: sentences, and the rows of the table of its way.

Owns the sentences. Never looks anything up: it is given plain values. Text and page use the same.
"""

from collections.abc import Iterator
from typing import Any

from solvent.terms.decimals import PPB, from_units, plain

_DATES_FROM_NS = 10**17  # earlier times are counts of seconds


def clock(time_ns: int) -> str:
    """Returns a time in seconds, from 1973 on as a date and time of UTC.

    >>> clock(2_040 * 10**9), clock(1_667_919_780 * 10**9)
    ('2040 s', '2022-11-08 15:03:00')
    """
    seconds, rest = divmod(time_ns, 10**9)
    if time_ns < _DATES_FROM_NS:
        return f"{plain(from_units(time_ns, PPB))} s"
    days, second = divmod(seconds, 86_400)
    era, day = divmod(days + 719_468, 146_097)  # of 400 years, which begin in March
    year = (day - day // 1_460 + day // 36_524 - day // 146_096) // 365
    day -= 365 * year + year // 4 - year // 100
    month = (5 * day + 2) // 153
    date = (
        f"{year + 400 * era + (month > 9):04}-{month - 9 if month > 9 else month + 3:02}-{day - (153 * month + 2) // 5 + 1:02}"
    )
    return f"{date} {second // 3_600:02}:{second // 60 % 60:02}:{second % 60:02}" + (f".{rest:09}" if rest else "")


def title(told: dict[str, Any]) -> str:
    """Returns one line that names a liquidation."""
    return f"{told['domain']} at {clock(told['time_ns'])}, command {told['command']}: {told['outcome']}"


def told_crossing(told: dict[str, Any]) -> str:
    """Returns a sentence that says where the threshold was crossed."""
    crossing, unit = told["crossing"], told["currency"]
    if crossing is None:
        return "It was below R_own before, and waited for a fill."
    before, after, threshold = crossing["before"], crossing["after"], crossing["threshold"]
    if crossing["price"]:
        return (
            f"The {crossing['price']} of {crossing['instrument']} went from {crossing['from']} to {crossing['to']}. "
            f"At {crossing['healthy']} equity was {crossing['healthy_slack']} {unit} more than {threshold}; "
            f"at {crossing['crossed']} it was {crossing['crossed_slack'].removeprefix('-')} {unit} less."
        )
    name = "own" if threshold == "R_own" else "full"
    until = f"Equity was {before['equity']} {unit} where {threshold} was {before[name]}. " if before else ""
    return f"{until}{after['cause'].capitalize()} it was {after['equity']} {unit}, and {threshold} {after[name]}."


def aligned(rows: list[tuple[str, ...]], right: int = 1) -> Iterator[str]:
    """Yields lines of columns; those from `right` on are aligned to the right."""
    wide = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    for row in rows:
        cells = (f"{text:{'<' if i < right else '>'}{wide[i]}}" for i, text in enumerate(row))
        yield "  ".join(cells).rstrip()


def path_rows(told: dict[str, Any]) -> tuple[tuple[str, ...], list[tuple[str, ...]]]:
    """Returns the head and the rows of the table of readings."""
    names = list(told["path"][0]["marks"]) if told["path"] else []
    further = [name for name in ("collateral", "accrued", "hold") if any(row[name] != "0" for row in told["path"])]
    money = ("equity", "own", "full", "slack", *further)
    head = ("event", "time", "by", *(f"mark {name}" for name in names), "size", *money)
    rows = [
        (
            str(row["seq"]), clock(row["time_ns"]), row["cause"], *(row["marks"][name] or "-" for name in names),
            " ".join(row["sizes"].values()) or "0", *(row[name] for name in money),
        )
        for row in told["path"]
    ]  # fmt: skip
    return head, rows


def sized(size: str) -> str:
    """Returns a signed size in words.

    >>> sized("-3")
    'short 3'
    """
    return f"short {size[1:]}" if size.startswith("-") else f"long {size}"


def lines(account: str, told: dict[str, Any]) -> Iterator[str]:
    """Yields the lines of one liquidation."""
    unit = told["currency"]
    yield f"{told['number']}. {account}, {title(told)}"
    yield f"  {told_crossing(told)}"
    head, rows = path_rows(told)
    yield f"  the way, in {unit}:"
    yield from (f"    {line}" for line in aligned([head, *rows], 3))
    yield from happened(told)


def case_lines(told: dict[str, Any]) -> Iterator[str]:
    """Yields the lines of one liquidation without the way to it."""
    yield f"{told['number']}. {told['account']}, {title(told)}"
    yield f"  set off by: {told['cause']}"
    yield from happened(told)


def happened(told: dict[str, Any]) -> Iterator[str]:
    """Yields a line for each thing that happened in a liquidation."""
    for each in told["verdicts"]:
        yield f"  {told_verdict(each)}"
    for each in told["cancelled"]:
        yield f"  cancelled: {told_order(each)}"
    for each in told["steps"]:
        yield f"  {told_step(each)}"
    for each in told["taken"]:
        yield f"  {told_taken(each)}"
        yield from (f"    {told_closing(closing)}" for closing in each["closings"])
        if each["left"] != "0":
            yield f"    {sized(each['left'])} is still open"
    yield f"  {told_money(told)}"


def told_verdict(each: dict[str, Any]) -> str:
    """Returns a verdict in words."""
    step = f"step down below {each['own']}, " if each["own"] != each["full"] else ""
    return f"verdict {each['verdict']}: equity {each['equity']}, {step}takeover below {each['full']}"


def told_order(each: dict[str, Any]) -> str:
    """Returns a cancelled order in words."""
    price = f" at {each['price']}" if each["price"] else ""
    return f"order {each['order_id']}, {each['side']} {each['size']} {each['instrument']}{price}" + (
        ", dormant" if each["dormant"] else ""
    )


def told_step(each: dict[str, Any]) -> str:
    """Returns an event of netting, step-down or conversion in words."""
    if each["type"] == "NETTED":
        return f"netted: {each['size']} {each['instrument']} of both legs at {each['price']}"
    if each["type"] == "STEP_DOWN":
        way = f"from tier {each['tier']} to {each['target_tier']}"
        return f"step down {way}: {each['side']} {each['size']} {each['instrument']} at {each['limit']} or better"
    if each["type"] == "TRADE":
        return f"  {each['size']} at {each['price']} with {each['counterparty']}"
    posting = each["posting"].lower().replace("_", " ")
    return f"{posting}: {each['amount']} {each['currency']} from {each['payer']} to {each['receiver']}"


def told_taken(each: dict[str, Any]) -> str:
    """Returns a takeover in words."""
    price = "no price" if each["bankruptcy_price"] is None else each["bankruptcy_price"]
    what = f"{sized(each['size'])} {each['instrument']}"
    return f"taken over: {what} at mark {each['mark']}, bankruptcy price {price} (parcel {each['parcel_id']})"


def told_closing(each: dict[str, Any]) -> str:
    """Returns a closing of a parcel in words."""
    price = f" at {each['price']}" if each["price"] else ""
    parts = [] if each["forgone"] == "0" else [told_forgone(each)]
    parts += [f"the fund {'paid' if each['fund'].startswith('-') else 'got'} {each['fund'].removeprefix('-')}"]
    if each["deficit"] != "0":
        word = "the deficit paid" if each["deficit"].startswith("-") else "of the deficit was repaid"
        parts.append(f"{word} {each['deficit'].removeprefix('-')}")
    return f"{each['size']}{price} with {each['counterparty']} {each['how']}, {clock(each['time_ns'])}: {', '.join(parts)}"


def told_forgone(each: dict[str, Any]) -> str:
    """Returns what a deleveraging cost its counterparty against closing at mark, or gave him, in words."""
    word = "gains" if each["forgone"].startswith("-") else "forgoes"
    return f"{each['counterparty']} {word} {each['forgone'].removeprefix('-')} against the mark"


def told_money(told: dict[str, Any]) -> str:
    """Returns what fund and deficit paid and got in all, in words."""
    money, unit = told["money"], told["currency"]
    words = (
        ("fund_got", "the fund got"), ("fund_paid", "the fund paid"), ("deficit_repaid", "of the deficit was repaid"),
        ("deficit_paid", "the deficit paid"), ("fund_covered", "the fund covered a wallet below zero with"),
        ("deficit_covered", "the deficit covered a wallet below zero with"),
    )  # fmt: skip
    parts = [f"{text} {money[name]} {unit}" for name, text in words if money[name] != "0"]
    if money["winners_forgo"] != "0":
        word = "gain" if money["winners_forgo"].startswith("-") else "forgo"
        parts.append(f"those whom ADL closed {word} {money['winners_forgo'].removeprefix('-')} {unit} against the mark")
    return "in all: " + (", ".join(parts) or "neither fund nor deficit paid or got anything")
