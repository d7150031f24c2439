"""The demo: its path, its draws, a run's books, its JSON, and what it answers to wrong input."""

import gzip
import hashlib
import json
import os
import re
import subprocess
import sys
from decimal import Decimal
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from solvent import Exchange, Instrument, Tier, rules
from solvent.app.cli import main
from solvent.codes import Code, InputError
from solvent.lab.market import commands, facts, hazards, page, paths, report, runner
from solvent.lab.market.behaviours import View
from solvent.lab.market.draws import Purpose, below, draw, pick
from solvent.lab.market.markets import FIRST_TRADER
from solvent.lab.market.population import UNITS, populate
from solvent.records import CommandType, EventType, ParcelChange

SCENARIOS = ["ftx", "2020-03-12", "2024-08-05"]
KEYS = {
    "scenario", "rules", "seed", "traders", "contracts", "commands", "events", "orders", "fills", "triggers_fired",
    "liquidations", "timeline", "behaviours", "leverages", "cells", "unwound", "insurance_fund", "adl", "funding",
    "conservation", "agents", "open_interest", "refused", "digest", "seconds",
}  # fmt: skip


@pytest.fixture(scope="module")
def crash(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The steepest hours of the FTX path, and the quiet ones before, in which everybody opens, as a user's own file."""
    whole = paths.resources.files("solvent.lab.market").joinpath("prices/ftx.csv.gz").read_bytes()
    lines = gzip.decompress(whole).decode().splitlines()
    file = tmp_path_factory.mktemp("bars") / "crash.csv"
    file.write_text("\n".join([lines[0], *lines[150:253]]) + "\n")
    return file


def run(crash: Path, capsys: pytest.CaptureFixture[str], *arguments: str) -> dict[str, Any]:
    """A small demo's JSON; nothing else may be on standard output."""
    assert main(["demo", "--scenario", str(crash), "--traders", "300", "--json", "-", *arguments]) == 0
    found: dict[str, Any] = json.loads(capsys.readouterr().out)
    return found


# --- the path


@pytest.mark.parametrize("name", SCENARIOS)
def test_the_walk_touches_every_extreme_in_small_steps(name: str) -> None:
    scenario = paths.find(name)
    before = scenario.bars[0][1]
    for bar in scenario.bars:
        steps = paths.bar_steps(before, bar)
        assert {bar[2], bar[3]} <= {*steps} and steps[-1] == bar[4]
        for one, other in zip([before, *steps], steps, strict=False):
            assert abs(other - one) * paths.STEP_PART <= min(one, other)
        before = bar[4]
    walk = paths.walk(scenario)
    assert (np.diff(walk.time_ns) > 0).all() and (walk.range_bp >= 0).all()
    assert len(walk) == len(walk.price_ticks)


def test_the_shipped_paths_are_the_days_they_say() -> None:
    ftx = paths.find("2022-11-08")
    assert ftx.name == "ftx" and len(ftx.bars) == 576
    assert (max(bar[2] for bar in ftx.bars), min(bar[3] for bar in ftx.bars)) == (206_959, 154_800)
    assert len(paths.find("2020-03-12").bars) == 255 and len(paths.find("2024-08-05").bars) == 1_440
    for name in SCENARIOS:
        packed = paths.resources.files("solvent.lab.market").joinpath(f"prices/{name}.csv.gz").read_bytes()
        assert packed[4:8] == b"\0\0\0\0", "no time stamp, so that the file can be made again"


SINCE = 1_667_865_600  # 8 November 2022, in seconds
HEADER = "ts_ms,open,high,low,close,volume\n"


@pytest.mark.parametrize(
    "text",
    [
        "", HEADER, "a,b\n1,2\n3,4\n", HEADER + "0,5,6,4,5,1\n0,5,6,4,5,1\n", HEADER + "0,5,4,6,5,1\n1,5,6,4,5,1\n",
        HEADER + "0,5,6,4,5\n1,5,6,4,5\n", HEADER + "0,5,6,4,x,1\n1,5,6,4,5,1\n", HEADER + "0,0,6,0,5,1\n1,5,6,4,5,1\n",
        HEADER + "0,5,6,4,nan,1\n1,5,6,4,5,1\n", HEADER + "x,5,6,4,5,1\n1,5,6,4,5,1\n",
    ],
)  # fmt: skip
def test_bars_that_make_no_sense_are_refused(text: str, tmp_path: Path) -> None:
    file = tmp_path / "bars.csv"
    file.write_text(text)
    with pytest.raises(InputError):
        paths.find(str(file))


@pytest.mark.parametrize(
    ("unit", "first"),
    [("seconds", SINCE), ("microseconds", SINCE * 10**6), ("nanoseconds", SINCE * 10**9)],
)
def test_times_in_other_units_are_refused_by_name(unit: str, first: int, tmp_path: Path) -> None:
    """The same bars in milliseconds are taken."""
    file = tmp_path / "bars.csv"
    for start, refused in ((first, True), (SINCE * 1_000, False)):
        file.write_text(HEADER + "".join(f"{start + i * start // 10**6},2000,2000,2000,2000,1\n" for i in range(3)))
        if refused:
            with pytest.raises(InputError, match=f"line 2: ts_ms {first} looks like {unit}; .* to have milliseconds"):
                paths.find(str(file))
        else:
            assert paths.find(str(file)).bars[0][0] == start


def test_cheap_and_dear_contracts_get_a_fitting_tick(tmp_path: Path) -> None:
    for price in ("0.00000123", "0.5", "1800", "99999999"):
        file = tmp_path / "bars.csv.gz"
        file.write_bytes(
            gzip.compress(f"{HEADER}0,{price},{price},{price},{price},1\n9,{price},{price},{price},{price},1\n".encode())
        )
        scenario = paths.find(str(file))
        assert paths.QUIET_TICKS <= scenario.bars[0][1] < 10 * paths.QUIET_TICKS


# --- the draws


def test_draws_of_an_agent_do_not_depend_on_the_others() -> None:
    few, many = np.arange(10, dtype=np.int64), np.arange(1_000, dtype=np.int64)
    assert (draw(7, few, Purpose.SIDE, 3) == draw(7, many, Purpose.SIDE, 3)[:10]).all()
    small, large = populate(7, 100, 2_000), populate(7, 1_000, 2_000)
    for column in ("behaviour", "wallet_units", "leverage", "cross", "side", "arrival"):
        assert (getattr(small, column) == getattr(large, column)[:100]).all(), column


def test_draws_differ_by_seed_purpose_and_step_and_are_even() -> None:
    agents = np.arange(20_000, dtype=np.int64)
    streams = [draw(1, agents, Purpose.SIDE), draw(2, agents, Purpose.SIDE), draw(1, agents, Purpose.MODE)]
    streams.append(draw(1, agents, Purpose.SIDE, 1))
    assert len({int(each[0]) for each in streams}) == 4
    for each in streams:
        assert np.abs(np.bincount(below(each, 10), minlength=10) - 2_000).max() < 250
    assert np.bincount(pick(streams[0], [1, 0, 3]), minlength=3).tolist()[1] == 0
    assert int(draw(1, agents, Purpose.SIDE)[3]) == 12_664_357_655_580_763_984, "old seeds tell old stories"


# --- the statistics


def counted(longs: float, hours: float, control: float = 20) -> hazards.Cells:
    """Counts in which each cell has the same hours and, but for the control group, the same liquidations."""
    shape = (10, 6)
    found = {name: np.full(shape, hours if name == "hours" else 100.0) for name in hazards.COLUMNS}
    found |= {"longs": np.full(shape, float(longs)), "shorts": np.zeros(shape)}
    found["longs"][-1] = control
    return hazards.Cells(**found)


def test_at_equal_leverage_only_behaviour_tells_traders_apart() -> None:
    """Two kinds with the same hazard at each leverage, and other hours: raw they differ, at equal leverage they do not."""
    counts = counted(0, 100)
    hazard = np.array([1, 2, 4, 8, 20, 40])
    for row, hours in enumerate([[600, 500, 400, 300, 200, 100], [100, 200, 300, 400, 500, 600]]):
        counts.hours[row] = hours
        counts.longs[row] = hazard * counts.hours[row] / 1_000
    raw, equal = ([of(row)(counts) for row in (0, 1)] for of in (hazards.raw, hazards.at_equal_leverage))
    assert raw[1] > 2 * raw[0] and equal[0] == pytest.approx(equal[1]) == pytest.approx(
        float((hazards.WEIGHTS * hazard).sum())
    )
    counts.hours[0, 5] = 0
    assert hazards.at_equal_leverage(0)(counts) is None


def test_an_interval_over_seeds_covers_what_seeds_differ_by() -> None:
    """Drawn worlds of a known hazard, which differ from each other: about one interval in twenty misses it."""
    random, missed = np.random.default_rng(1), 0
    for _ in range(200):
        runs = [counted(200 * float(random.gamma(25, 1 / 25)), 1_000) for _ in range(20)]
        found = hazards.over_seeds(runs, hazards.raw(0))
        assert found.low is not None and found.high is not None and found.value is not None
        missed += not found.low <= 200 <= found.high
    assert 2 <= missed <= 20


def test_a_ratio_needs_a_control_group_that_was_hit() -> None:
    assert hazards.over_seeds([counted(50, 10, control=1)] * 3, hazards.against_control(0)).value == pytest.approx(50)
    lucky = counted(50, 10, control=0)
    lucky.longs[-1, 0] = 9
    assert hazards.against_control(0)(lucky) is None and hazards.over_seeds([lucky], hazards.against_control(0)).told() == "-"


@pytest.mark.parametrize(
    ("estimate", "text"),
    [
        (hazards.Estimate(23.456, 20.04, 26.96), "23 [20, 27]"),
        (hazards.Estimate(1.2345, 1.2001, 1.2699), "1.23 [1.20, 1.27]"),
        (hazards.Estimate(1_234.5, error=81), "1,230"), (hazards.Estimate(None), "-"), (hazards.Estimate(0.0), "0"),
        (hazards.Estimate(12.34, error=0.2), "12.3"), (hazards.Estimate(105, 1, 300_000), "100 [0, 300,000]"),
    ],
)  # fmt: skip
def test_no_more_digits_are_told_than_the_interval_allows(estimate: hazards.Estimate, text: str) -> None:
    assert estimate.told() == text


# --- a run


def test_the_same_arguments_give_the_same_run_in_any_process(crash: Path, capsys: pytest.CaptureFixture[str]) -> None:
    first, again = run(crash, capsys), run(crash, capsys)
    arguments = ["demo", "--scenario", str(crash), "--traders", "300", "--json", "-"]
    fresh = subprocess.run(
        [sys.executable, "-m", "solvent.app.cli", *arguments],
        env=os.environ | {"PYTHONHASHSEED": "4242"}, capture_output=True, text=True, check=True,
    )  # fmt: skip
    other = json.loads(fresh.stdout)
    for each in (first, again, other):
        assert each.pop("seconds") > 0
    assert first == again == other
    assert run(crash, capsys, "--seed", "2")["digest"] != first["digest"]
    assert run(crash, capsys, "--rules", "okx_consistent")["rules"] == "okx_consistent"


def test_the_json_has_every_key_and_its_sums_hold(crash: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found = run(crash, capsys, "--fund", "12.345678")
    assert found.keys() == KEYS
    liquidations = found["liquidations"]
    assert liquidations["total"] == liquidations["partial"] + liquidations["takeover"] > 0
    assert liquidations["total"] == liquidations["isolated"] + liquidations["cross"]
    assert liquidations["total"] == liquidations["longs"] + liquidations["shorts"]
    by_behaviour = found["behaviours"].values()
    assert liquidations["total"] == liquidations["makers"] + sum(each["liquidations"] for each in by_behaviour)
    for side in ("longs", "shorts"):
        assert liquidations[side] == sum(row[side] for row in found["timeline"]) >= sum(each[side] for each in by_behaviour)
        assert [each[side] for each in by_behaviour] == [sum(row) for row in found["cells"][side]]
    for name in ("traders", "hours", "liquidations"):
        assert sum(each[name] for each in found["leverages"].values()) == pytest.approx(1, abs=0.001)
    assert found["unwound"].keys() == {"book", "fund", "adl", "open"}
    closed = [*(each["closed_by_adl"] for each in by_behaviour), found["adl"]["makers"]]
    assert found["adl"]["acts"] == sum(each["acts"] for each in closed) > 0
    taken = Decimal(found["unwound"]["adl"]["contracts"]["PERP-USDT"])
    assert taken == sum(Decimal(each["contracts"]["PERP-USDT"]) for each in closed) > 0
    fund = found["insurance_fund"]
    assert fund["currency"] == "USDT" and fund["start_units"] == 12_345_678
    assert fund["start_units"] + fund["in_units"] - fund["out_units"] == fund["end_units"] >= 0
    assert found["conservation"]["worst_error_units"] == 0 and found["conservation"]["checks"] > 100
    for held in found["open_interest"].values():
        assert held["long_lots"] == held["short_lots"]


def outcome(crash: Path, fund_units: int) -> runner.Outcome:
    return runner.simulate(runner.Settings(paths.find(str(crash)), 1_000, rules.find("seed"), fund_units, 1))


def test_the_fund_decides_whether_adl_comes(crash: Path) -> None:
    assert outcome(crash, 0).tally.adl_events > 0
    rich = outcome(crash, 10**9 * UNITS)
    assert rich.tally.adl_events == 0
    taken = rich.tally.parcels.lots[ParcelChange.TAKEN]
    assert sum(lots[0] for lots, _ in rich.tally.unwound.values()) == taken[0] > 0
    assert "No unit of money was lost" in report.story(rich)


def bars(file: Path, closes: list[int]) -> Path:
    """A path from close to close, a bar a minute."""
    rows = [f"{i * 60_000},{a},{max(a, b)},{min(a, b)},{b},1\n" for i, (a, b) in enumerate(pairwise(closes))]
    file.write_text(HEADER + "".join(rows))
    return file


@pytest.mark.parametrize(("step", "word"), [(-60, "longs"), (60, "shorts")])
def test_longs_are_liquidated_as_the_price_falls_and_shorts_as_it_rises(
    step: int, word: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Quiet hours in which everybody opens, then one way for good."""
    closes = [20_000 + i % 2 for i in range(400)] + [20_000 + step * i for i in range(60)]
    found = run(bars(tmp_path / "path.csv", closes), capsys)["liquidations"]
    assert found[word] == found["total"] > 10


CASES = [*((name, 1) for name in SCENARIOS), ("ftx", 2)]


@pytest.mark.long
@pytest.mark.parametrize(("scenario", "seed"), CASES)
def test_everybody_trades(scenario: str, seed: int) -> None:
    """At most one in ten of a behaviour never does, and no order that opens is refused for its size or price."""
    made = runner.simulate(runner.Settings(paths.find(scenario), 250, rules.find("seed"), UNITS, seed))
    counts = hazards.cells(made)
    assert ((counts.traders - counts.traded).sum(axis=1) * 10 <= counts.traders.sum(axis=1)).all()
    assert not {"INSUFFICIENT_MARGIN", "LEVERAGE_ABOVE_TIER", "POSITION_LIMIT", "PRICE_BAND"} & made.refused.keys()
    found = facts.summary(made)
    assert found["refused"] == made.refused and sum(each["never_traded"] for each in found["behaviours"].values()) <= 25
    for name, count in made.refused.items():
        assert f"{count:,}  {name}: " in report.story(made)


@pytest.mark.parametrize("leverage", [3, 5, 10, 20, 50, 100])
@pytest.mark.parametrize("cross", [False, True])
@pytest.mark.parametrize("side", [1, -1])
def test_what_a_wallet_can_carry_is_accepted(leverage: int, cross: bool, side: int) -> None:
    """All lots that View.needed allows are taken by the exchange; with a hundredth less in the wallet they are not."""
    contract = Instrument("BTC", tiers=[Tier(10_000, "0.005", "0.01")])
    mark = 205_937
    one, by = np.array([side], dtype=np.int64), np.array([leverage], dtype=np.int64)
    view = View(0, 0, mark, 0, mark * contract.spec.units, contract.spec.taker_fee_ppb, *[one] * 8, 1, one)
    need = int(view.needed(one, by)[0])
    for lots, percent, code in ((1, 100, Code.OK), (199, 100, Code.OK), (199, 99, Code.INSUFFICIENT_MARGIN)):
        ex = Exchange([contract])
        account = np.array([ex.open_account("a")], dtype=np.int64)
        ex.mark("BTC", mark * contract.tick_size)
        batch = [
            commands.pay(CommandType.DEPOSIT, account, np.array([lots * need * percent // 100])),
            commands.set_leverage(account, by, np.array([cross])),
            commands.orders(account, side * np.array([lots]), np.array([False]), mark),
        ]
        assert ex.run(np.concatenate(batch)).code.tolist() == [0, 0, code]


def test_stops_and_targets_are_the_engines(crash: Path) -> None:
    """Nobody of the control group closes by an order of his own: his stop fires by the mark or his target is met."""
    run = runner.Run(runner.Settings(paths.find(str(crash)), 500, rules.find("seed"), UNITS, 1))
    guards, tally = run.markets[0].guards, run.outcome.tally
    first = FIRST_TRADER
    for step in range(len(run.outcome.walk)):
        run.step(step)
        held = tally.size[0, first + guards.who] != 0
        assert (guards.live[0] == (held & (guards.stop_percent > 0))).all()
        assert not (guards.live[1] & ~held).any()
    assert tally.counts[EventType.TRIGGERED] > 10
    for order_id, (which, at) in guards.orders.items():
        orders = {each.order_id: each for each in run.exchange.open_orders(int(first + guards.who[at]))}
        assert (orders[order_id].trigger is None) == (which == 1)


@pytest.mark.long
def test_funding_is_settled_by_the_clock_and_every_contract_pays_it() -> None:
    made = runner.simulate(runner.Settings(paths.find("ftx"), 60, rules.find("seed"), UNITS, 1))
    found = facts.funding(made)
    assert {each["contract"] for each in found} == {"BTC-USDT-SWAP", "ETH-USDT-SWAP"}
    assert [each["time"][8:13] for each in found if each["contract"][:3] == "BTC"] == [
        "08T08",
        "08T16",
        "09T00",
        "09T08",
        "09T16",
    ]
    assert all(abs(each["rate_ppb"]) <= 3_750_000 for each in found)
    eighth = FIRST_TRADER + made.crowd.members("all_encompassing")
    others = np.setdiff1d(np.arange(FIRST_TRADER, len(made.tally.traded)), eighth)
    assert made.tally.size[1, eighth].any() and not made.tally.size[1, others].any()


def test_the_books_notice_a_lost_unit(crash: Path) -> None:
    tally = outcome(crash, UNITS).tally
    tally.money[20] += 1
    tally.check()
    assert tally.worst_error == 1


def test_a_path_that_never_moves_is_still_a_market(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "flat.csv"
    file.write_text(HEADER + "".join(f"{i * 60_000},2000,2000,2000,2000,0\n" for i in range(3)))
    found = run(file, capsys)
    assert found["liquidations"]["total"] == 0 and found["conservation"]["worst_error_units"] == 0
    assert "ADL never came" in report.story(outcome(file, UNITS))


# --- the command line


@pytest.mark.parametrize(
    "arguments",
    [
        [], ["demo", "--scenario", "nowhere"], ["demo", "--traders", "0"], ["demo", "--traders", "many"],
        ["demo", "--rules", "none"], ["demo", "--fund", "-1"], ["demo", "--fund", "nan"], ["demo", "--fund", "0.0000001"],
        ["demo", "--seed", "-1"], ["demo", "--json", "/no/such/folder/x.json"], ["demo", "--picture", "-"],
        ["demo", "--scenario", "."], ["unknown"], ["demo", "--html", "-"], ["demo", "--seeds", "0"],
        ["demo", "--seeds", "2", "--picture", "x.png"],
    ],
)  # fmt: skip
def test_wrong_input_is_told_on_standard_error(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(arguments) == 2
    said = capsys.readouterr()
    assert said.out == "" and "Traceback" not in said.err and said.err.strip()


def test_a_run_draws_its_picture_and_tells_its_story(crash: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("matplotlib")
    picture, figures = tmp_path / "demo.png", tmp_path / "demo.json"
    arguments = ["demo", "--scenario", str(crash), "--traders", "50", "--picture", str(picture), "--json", str(figures)]
    assert main(arguments) == 0
    said = capsys.readouterr()
    assert picture.read_bytes()[:4] == b"\x89PNG" and str(picture) in said.out
    assert json.loads(figures.read_text()).keys() >= KEYS
    for words in ("Who was liquidated", "By leverage", "How it was unwound", "worst error 0 units"):
        assert words in said.out
    assert "100 %" in said.err


def test_the_page_tells_the_same_story_and_loads_nothing(crash: Path, tmp_path: Path) -> None:
    made, file = outcome(crash, 0), tmp_path / "demo.html"
    page.write(made, str(file))
    text = file.read_text()
    assert not re.findall(r"<(?:script|link|img|iframe)[^>]*(?:src|href)|@import|url\(.?http", text)
    assert (
        "default-src 'none'" in text and 'href="https://www.tradingview.com/"' in text and "(c) 2026 TradingView, Inc." in text
    )
    assert not any(place in text for place in (*page.PARTS, "/*STORY*/"))
    told = json.loads(text.split("const STORY = ")[1].split(";</script>")[0])
    assert told == json.loads(json.dumps(page.data(made))) and told["text"] == report.story(made)
    assert sum(long for _, long, _ in told["liquidations"]) == sum(made.tally.liquidations.longs) > 0
    assert told["adl"] and {*told["adl"]} <= {bar[0] for bar in told["bars"]}


def test_the_libraries_of_the_page_are_what_they_say() -> None:
    """Unchanged: each has the hash, the version and the licence of its line in ORIGIN.md."""
    folder = paths.resources.files("solvent.lab.market").joinpath("charts")
    lines = re.findall(
        r"\| `([\w.-]+)` \| (\S+) ([\d.]+) \| .* \| `([0-9a-f]{64})` \|", folder.joinpath("ORIGIN.md").read_text()
    )
    assert {name for name, *_ in lines} == {*page.PARTS.values()} - {"page.js"}
    for name, package, version, digest in lines:
        data = folder.joinpath(name).read_bytes()
        assert hashlib.sha256(data).hexdigest() == digest
        assert name.endswith(".css") or version.encode() in data[:200]
        assert "Copyright" in folder.joinpath(f"LICENSE-{package}").read_text()


@pytest.mark.long
def test_many_seeds_are_told_with_intervals_and_are_the_single_ones(
    crash: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ["demo", "--scenario", str(crash), "--traders", "150", "--seeds", "3", "--json", str(tmp_path / "seeds.json")]
    assert main(arguments) == 0
    said = capsys.readouterr()
    found = json.loads((tmp_path / "seeds.json").read_text())
    assert [each["seed"] for each in found["runs"]] == [1, 2, 3] and "100 %" in said.err
    for words in ("vs control", "From seed to seed", "3 seeds tell little", "Worst error of the money: 0 units"):
        assert words in said.out
    hazard = found["behaviours"]["all-in"]["raw"]
    assert hazard["low"] < hazard["value"] < hazard["high"]
    assert run(crash, capsys, "--traders", "150", "--seed", "2")["digest"] == found["runs"][1]["digest"]
