"""Three bad days with their real prices, held to the shape that section 15 of the liquidation rules says to expect.

The prices are recorded hours of a venue's mark, which is not in the project; every test skips where it is absent. The traders
are the demo's, so numbers of accounts are not held to anything: the order of things is, and who pays.
docs/explanation/liquidation-evidence.md says how far the shapes agree.
"""

import csv
import gzip
from dataclasses import replace
from decimal import Decimal
from functools import cache

import pytest

from solvent import EventType, rules
from solvent.lab.market import counterfactual, paths
from solvent.lab.market.runner import Settings
from solvent.lab.market.scenarios import MarketFault
from support.places import DATA

HOUR_MS, UNITS = 3_600_000, 10**6
MARKS = DATA / "funding_mark" / "BTCUSDT_binance-perp_mark_1h_2019-2026.csv.gz"
DAYS = {"march 2020": (1_583_971_200_000, 40), "ftx": (1_667_865_600_000, 48), "october 2025": (1_760_119_200_000, 14)}
"""When the prices begin (12 March 2020, 8 November 2022, 10 October 2025 18:00), and how many hours there are of them."""
GAPS = {
    day: (MarketFault("mark_stands", minute, seconds), MarketFault("makers_leave", minute, seconds))
    for day, minute, seconds in (("ftx", 1_140, 7_200), ("october 2025", 185, 2_400))
}
"""Nobody makes a market and the mark stands while the price falls: then it jumps, into an empty book."""
HYPERLIQUID = replace(
    rules.find("seed"), name="hyperliquid_adl", source="Hyperliquid docs, ADL page, 2026: rank and price of ADL alone",
    adl_rank="sided_return", adl_price="previous", adl_winners_first=True,
)  # fmt: skip


def scenario(day, tmp_path_factory):
    if not MARKS.exists():
        pytest.skip(f"the recorded prices {MARKS.name} are not here")
    begin, hours = DAYS[day]
    with gzip.open(MARKS, "rt") as file:
        bars = [row for row in csv.reader(file) if row[0].isdigit() and begin <= int(row[0]) < begin + hours * HOUR_MS]
    assert len(bars) == hours
    path = tmp_path_factory.mktemp("days") / f"{day.replace(' ', '-')}.csv"
    path.write_text("\n".join(["ts_ms,open,high,low,close,volume", *(",".join(bar) for bar in bars)]) + "\n")
    return paths.find(str(path))


@pytest.fixture(scope="module")
def play(tmp_path_factory):
    """The market of a day under a rule set with a fund of so many units: (figures, exchange with all events)."""

    @cache
    def played(day, rule, fund_units, *faults):
        found = replace(scenario(day, tmp_path_factory), faults=faults)
        run = counterfactual.Recorded(Settings(found, 1_000, rule, fund_units, 1))
        for step in range(len(run.outcome.walk)):
            run.step(step)
        again = counterfactual.Replayed(run, rule)
        again.exchange._hold_events(True)
        again.play(lambda _: None)
        return again.figures(None), again.exchange

    return played


def checked(ex):
    """LIQ- and MON- hold at the end, and the parts of every liquidation add up."""
    ex.check()
    for each in ex.liquidations():
        for parcel in each["taken"]:
            assert sum(Decimal(c["size"]) for c in parcel["closings"]) + abs(Decimal(parcel["left"])) == abs(
                Decimal(parcel["size"])
            )


@pytest.mark.long
def test_bitmex_rules_on_12_and_13_march_2020(play):
    """A fund of 20 times the draw pays and no ADL comes; one of twice the draw halves (as Deribit's did); an empty one is not
    enough."""
    bitmex, rich = rules.find("bitmex"), 10**6 * UNITS
    figures, ex = play("march 2020", bitmex, rich)
    checked(ex)
    draw = rich - figures.fund_low_units
    print(f"{figures.accounts} accounts, {figures.longs} longs, {figures.shorts} shorts, lowest fund {figures.fund_low_units}")
    assert figures.fund_paid_units > 0 and figures.adl_acts == 0 == figures.deficit_units
    assert figures.longs > 3 * figures.shorts, "the price halves, and longs are liquidated"
    paid = figures.fund_paid_units
    for times, adl in ((20, False), (2, False), (0, True)):
        less, ex = play("march 2020", bitmex, times * paid)
        checked(ex)
        assert (less.adl_acts > 0) is adl, times
        if times:
            assert less.fund_low_units >= (times - 1) * paid and less.deficit_units == 0
    assert draw <= paid


@pytest.mark.long
def test_okx_rules_on_8_and_9_november_2022(play):
    """Longs by far; ADL closes at the mark: nobody whom it closes forgoes anything, and fund and deficit pay instead."""
    figures, ex = play("ftx", rules.find("okx"), 10**6 * UNITS)
    checked(ex)
    assert figures.longs > 2 * figures.shorts and figures.adl_acts == 0
    less, ex = play("ftx", rules.find("okx"), 0, *GAPS["ftx"])
    checked(ex)
    assert less.adl_acts > 0 and less.forgone_units == 0
    assert all(closing["forgone"] == "0" for each in ex.liquidations() for t in each["taken"] for closing in t["closings"])


@pytest.mark.long
def test_hyperliquid_adl_on_the_gap_of_10_october_2025(play):
    """A thin book and no fund: ADL must begin. It comes after ordinary liquidations, and within a command after all of them;
    nearly all whom it closes are in profit; what it closes is far more than the deficit."""
    figures, ex = play("october 2025", HYPERLIQUID, 0, *GAPS["october 2025"])
    checked(ex)
    cascade = ex.cascade(0)
    print(cascade)
    assert figures.adl_acts > 0 and cascade.liquidations_to_adl > 10
    profit = closed = 0
    liquidating = {EventType.LIQUIDATION, EventType.TAKEOVER}
    for e in ex.cursor(EventType.ADL, EventType.POSITION, EventType.MARKED, *liquidating, begin=1):
        if e.type == EventType.ADL and e.adl_pass != 2:
            closed += 1
            profit += e.adl_pass == 1
    assert closed and profit / closed > 0.9
    notional = sum(
        abs(Decimal(row["to_adl"])) * Decimal(row["mark"]) * ex.instruments[0].spec.units / 10**6 for row in cascade.rows
    )
    assert notional * UNITS > 10 * figures.deficit_units
