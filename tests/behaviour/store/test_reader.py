"""A journal is read without this package: by the lines that its page shows."""

import io
import re
import struct

import msgpack

from solvent.records import COMMAND
from solvent.twin.base.checksum import checksum
from support.journals import written
from support.places import ROOT

PAGE = ROOT / "docs/reference/journal.md"


def reader():
    """The function that the page shows."""
    text = re.search(r"```python\n(def blocks.*?)```", PAGE.read_text(), re.DOTALL)[1]
    assert "solvent." not in text and len(text.splitlines()) <= 16
    names = {"msgpack": msgpack, "io": io, "struct": struct}
    exec(text, names)
    return names["blocks"]


def test_the_lines_of_the_page_read_a_journal():
    disk, ex = written(11, 150, batch=10)
    ex.close()
    data = disk.read("00000000000000000001.journal")
    said, *records = reader()(data, checksum)
    assert [each["name"] for each in said["instruments"]] == [each.name for each in ex.instruments[: said["made_with"]]]
    assert said["kind"] == "exchange" and said["seed"] == 7
    count, left = 0, 0
    for record in records:
        if not left:
            count, left = count + 1, record[1]
        left -= 1
    assert count == 150
    spoiled = bytearray(data)
    spoiled[-100] ^= 1
    try:
        list(reader()(bytes(spoiled), checksum))
    except AssertionError:
        return
    raise AssertionError("the lines of the page do not find a flipped bit")


def test_the_layout_of_a_command_is_that_of_the_page():
    assert COMMAND.format in PAGE.read_text()
