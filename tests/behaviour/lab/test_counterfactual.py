"""One log of commands under several rule sets: the same rules give the same state, others are told side by side."""

import json
from dataclasses import replace

import numpy as np
import pytest

from solvent import InputError, rules
from solvent.app import cli
from solvent.lab.market import counterfactual, paths
from solvent.lab.market.runner import Settings
from solvent.presets import catalogue

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
