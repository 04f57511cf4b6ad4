"""Options and clusters for tests with real processes.

`--long` (or MERIDIAN_LONG=1) runs the load tests as long as the acceptance criteria say; without it
they are short enough for every run.
"""

import os
import pathlib
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))

import cluster as clusters  # noqa: E402


def pytest_addoption(parser):
    parser.addoption("--long", action="store_true", default=os.environ.get("MERIDIAN_LONG") == "1",
                     help="full-length load tests")


def pytest_configure(config):
    config.addinivalue_line("markers", "fires(alert, ...): the alerts that the test makes fire")


@pytest.fixture(scope="session")
def long(request):
    return request.config.getoption("--long")


@pytest.fixture(scope="session")
def load_seconds(long):
    return 60 if long else 15


@pytest.fixture
def cluster(tmp_path):
    """Three regions of a test's own."""
    with clusters.Cluster(tmp_path) as made:
        yield made
        assert not made.deaths()


@pytest.fixture
def orders(cluster):
    """The same, with the global table of the acceptance criteria."""
    cluster.create_global_table("Orders", stream="NEW_AND_OLD_IMAGES")
    return cluster


@pytest.fixture(scope="module")
def shared(tmp_path_factory):
    """Three regions that the tests of one file share.  They must not stop anything in it."""
    with clusters.Cluster(tmp_path_factory.mktemp("shared")) as made:
        made.create_global_table("Orders", stream="NEW_AND_OLD_IMAGES")
        yield made
        assert not made.deaths()
