"""One log of commands under several rule sets: the same rules give the same state, others are told side by side."""

import html
import json
import re
from dataclasses import replace
from decimal import Decimal
from xml.etree import ElementTree

import numpy as np
import pytest

from solvent import InputError, rules
from solvent.app import cli
from solvent.lab.market import comparison_page, counterfactual, paths
from solvent.lab.market.runner import Settings
from solvent.presets import catalogue
from support.places import ROOT

SMALL = Settings(paths.find("flash_crash"), 120, rules.find("seed"), 500 * 10**6, 3)


def test_the_same_rules_lead_to_the_same_state():
    """`compare` itself checks the first replay against the run; here a copy of the rules under another name is played, too."""
    seed, twin = counterfactual.compare(SMALL, [SMALL.rules, replace(SMALL.rules, name="twin")])
    assert seed.accounts and seed.also == seed.accounts == twin.also
    same = {name: (getattr(seed, name), getattr(twin, name)) for name in seed.__slots__ if name not in ("rules", "digest")}
    assert all(a == b for a, b in same.values())


def test_other_rules_are_told_beside():
    told = []
    found = counterfactual.compare(SMALL, [rules.find(name) for name in ("seed", "binance", "htx")], told.append)
    seed = found[0]
    assert all(each.also <= min(each.accounts, seed.accounts) for each in found)
    assert all(sum(each.taken_units.values()) > 0 and each.commands == seed.commands for each in found)
    assert any("htx" in line for line in told)
    table = counterfactual.table(SMALL, found).splitlines()
    assert table[0].split() == ["seed", "binance", "htx"]
    assert len({len(line) for line in table}) == 1


def test_order_numbers_go_by_the_command_that_placed_the_order():
    """An order that another rule set refuses has no number there: a cancellation of it is refused and counted."""
    run = counterfactual.Recorded(SMALL)
    played = counterfactual.Replayed(run, rules.find("okx"))
    batch = np.zeros(3, dtype=run.log[0][1].dtype)
    batch["records"], batch["type"], batch["order_id"] = 1, [18, 18, 16], [7, 8, 9]
    played._known = {7: 70, 8: 0}
    found = played._renumbered(batch, counterfactual._heads(batch))
    assert found["order_id"].tolist() == [70, 0, 9]
    assert batch["order_id"].tolist() == [7, 8, 9]


def test_commands_of_several_records_count_once():
    batch = np.zeros(5, dtype=counterfactual.Recorded(SMALL).log[0][1].dtype)
    batch["records"] = [2, 1, 1, 3, 0]
    assert counterfactual._heads(batch).tolist() == [True, False, True, True, False]


@pytest.mark.parametrize("named", [[], ["seed", "seed"]])
def test_rule_sets_are_named_once(named):
    with pytest.raises(InputError, match="each once"):
        counterfactual.compare(SMALL, [catalogue.find(name) for name in named])


def test_the_command_writes_a_table_and_json(tmp_path, capsys):
    file = tmp_path / "found.json"
    asked = ["compare", "--scenario", "flash_crash", "--traders", "60", "--rules", "seed,okx", "--json", str(file)]
    assert cli.main(asked) == 0
    assert "accounts liquidated" in capsys.readouterr().out
    found = json.loads(file.read_text())
    assert [each["rules"] for each in found["rules"]] == ["seed", "okx"]
    assert cli.main([*asked[:5], "--rules", "seed,vega"]) == 2
    assert "needs slices" in capsys.readouterr().err


def test_the_page_has_every_figure_and_stands_alone(tmp_path, capsys):
    """Well-formed, without script and network; the bars are as long as the figures, and the refusals are told by code."""
    file, shown = tmp_path / "found.json", tmp_path / "page.html"
    asked = ["compare", "--scenario", "flash_crash", "--traders", "100", "--rules", "seed,okx,htx", "--json", str(file)]
    assert cli.main([*asked, "--html", str(shown)]) == 0
    table, page, found = capsys.readouterr().out, shown.read_text(), json.loads(file.read_text())
    assert "<script" not in page and "http" not in page and "url(" not in page
    chart = ElementTree.fromstring(re.search(r"<svg.*?</svg>", page, re.DOTALL)[0])
    texts = [each.text for each in chart.iter("text")]
    assert len([each for each in texts if each == "okx"]) == 4, "a bar in each panel"
    for row in found["rules"]:
        assert {f"{row['accounts']:,}", f"{sum(row['refused'].values()):,}"} <= set(texts)
    widths = [int(each.get("width")) for each in chart.iter("rect")]
    assert len(widths) == 3 * (2 + 4 + 3 + 1) and all(width >= 0 for width in widths)
    longest = [sum(widths[i : i + 2]) for i in range(0, 6, 2)]
    counts = [row["accounts"] for row in found["rules"]]
    assert longest.index(max(longest)) == counts.index(max(counts))
    assert html.escape(table.split("\n\nPage")[0].strip("\n").splitlines()[3]) in page
    again = comparison_page.page(found, "")
    assert again == comparison_page.page(found, "") and str(tmp_path) not in again
    with pytest.raises(InputError, match="cannot write"):
        comparison_page.write(str(tmp_path / "no" / "page"), found, "")


def test_who_paid_is_what_the_events_say():
    """What those whom ADL closed forgo, as the liquidations of the same replay tell it; fund and deficit by their flows."""
    run = counterfactual.Recorded(Settings(paths.find("flash_crash"), 400, rules.find("seed"), 10**6, 3))
    for step in range(len(run.outcome.walk)):
        run.step(step)
    played = counterfactual.Replayed(run, rules.find("seed"))
    played.exchange._hold_events(True)
    played.play(lambda _: None)
    figures, told = played.figures(None), played.exchange.liquidations().records
    forgone = sum(Decimal(each["money"]["winners_forgo"]) for each in told)
    assert figures.adl_acts and Decimal(figures.forgone_units) == forgone * 10**6
    assert figures.fund_end_units == 10**6 + figures.fund_got_units - figures.fund_paid_units
    assert figures.liquidations >= len({each["account"] for each in told}) > 0


def test_the_page_of_the_three_crashes_has_the_committed_figures():
    """docs/explanation/three-crashes.md shows the tables of docs/explanation/three-crashes.json, line by line."""
    page = (ROOT / "docs/explanation/three-crashes.md").read_text()
    found = json.loads((ROOT / "docs/explanation/three-crashes.json").read_text())
    assert [each["name"] for each in found] == ["2020-03-12", "ftx", "2024-08-05"]
    for each in found:
        fund = str(each["fund_units"] // 10**6)
        scenario = replace(paths.find(each["name"]), traders=each["traders"], rules="seed", fund=fund)
        rows = [counterfactual.Figures(**row) for row in each["rules"]]
        assert counterfactual.table(Settings.of(scenario, each["seed"]), rows) in page
        assert f"--traders {each['traders']} --fund {fund}" in page
        for row in rows[1:]:
            assert row.also > 0.9 * min(row.accounts, rows[0].accounts)
            assert (row.forgone_units == 0) or row.rules not in ("okx", "htx"), "they close at the mark"
            assert sum(row.refused.values()) < 0.04 * row.commands
