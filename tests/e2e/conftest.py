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


@pytest.fixture(scope="session")
def load_seconds(request):
    return 60 if request.config.getoption("--long") else 15


def _deaths(cluster):
    """Processes that ended by themselves: a bug, whatever the test was about."""
    return [f"{p.name} ended with {p.popen.returncode}:\n{p.log_tail(30)}"
            for p in cluster.processes()
            if p.popen is not None and p.popen.poll() not in (None, 0, -9, -15)]


@pytest.fixture
def cluster(tmp_path):
    """Three regions of a test's own."""
    with clusters.Cluster(tmp_path) as made:
        yield made
        assert not _deaths(made)


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
        assert not _deaths(made)
