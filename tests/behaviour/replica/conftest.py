"""Real servers for the tests of a folder; each module has its own."""

import pytest

from support.nats_servers import Servers


@pytest.fixture(scope="module")
def one(tmp_path_factory):
    with Servers(1, tmp_path_factory.mktemp("one")) as servers:
        yield servers


@pytest.fixture(scope="module")
def three(tmp_path_factory):
    with Servers(3, tmp_path_factory.mktemp("three")) as servers:
        yield servers
