"""Fixtures of the conformance suite.

The suite knows an endpoint and nothing else.  `--url` (and `--streams-url`) run it against any
DynamoDB endpoint, for instance another implementation, to check the tests themselves; without them
one region-node is started on free ports with a data directory of its own.
"""

import pathlib
import sys
import uuid

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "e2e"))
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))

import cluster  # noqa: E402
from stream_support import Watch, iterator, read_shard, shards_of  # noqa: E402
from support import N, S, create_table, wait_gone  # noqa: E402


def pytest_addoption(parser):
    group = parser.getgroup("conformance")
    group.addoption("--url", help="table endpoint to test instead of a node of our own")
    group.addoption("--streams-url", help="streams endpoint (default: the table endpoint)")
    group.addoption("--region", default="us-east-1", help="region name to sign for")


class Endpoint:
    def __init__(self, url, streams_url, region):
        self.url = url
        self.streams_url = streams_url
        self.region = region


@pytest.fixture(scope="session")
def endpoint(request, tmp_path_factory):
    url = request.config.getoption("--url")
    region = request.config.getoption("--region")
    if url:
        yield Endpoint(url, request.config.getoption("--streams-url") or url, region)
        return
    with cluster.Cluster(tmp_path_factory.mktemp("conformance"), count=1, replicators=False) as one:
        yield Endpoint(one[0].url("table"), one[0].url("streams"), one[0].name)
        assert one[0].node.running(), f"the node died:\n{one[0].node.log_tail(50)}"


@pytest.fixture(scope="session")
def dynamodb(endpoint):
    # Without client-side checks, so that the server's own validation is what answers.
    return cluster.client("dynamodb", endpoint.url, endpoint.region, parameter_validation=False)


@pytest.fixture(scope="session")
def streams(endpoint):
    return cluster.client("dynamodbstreams", endpoint.streams_url, endpoint.region,
                          parameter_validation=False)


@pytest.fixture(scope="session")
def regions(request, tmp_path_factory):
    """Two regions of our own; tests of global tables need to reach both."""
    if request.config.getoption("--url"):
        pytest.skip("global tables need endpoints in two regions")
    with cluster.Cluster(tmp_path_factory.mktemp("regions"), count=2) as two:
        yield two
        assert not two.deaths()


def _shared(dynamodb, **keys):
    name = create_table(dynamodb, **keys)
    yield name
    dynamodb.delete_table(TableName=name)


# Shared tables: creating one per test would be most of the run time.  Tests use unique keys.
@pytest.fixture(scope="session")
def table_s(dynamodb):
    yield from _shared(dynamodb, p="S")


@pytest.fixture(scope="session")
def table_ss(dynamodb):
    yield from _shared(dynamodb, p="S", c="S")


@pytest.fixture(scope="session")
def table_sn(dynamodb):
    yield from _shared(dynamodb, p="S", c="N")


@pytest.fixture(scope="session")
def table_sb(dynamodb):
    yield from _shared(dynamodb, p="S", c="B")


@pytest.fixture(scope="session")
def table_n(dynamodb):
    yield from _shared(dynamodb, p="N")


@pytest.fixture(scope="session")
def table_b(dynamodb):
    yield from _shared(dynamodb, p="B")


@pytest.fixture
def new_table(dynamodb):
    """Makes tables of one test's own, and deletes what the test left."""
    made = []

    def make(stream=None, **keys):
        name = create_table(dynamodb, stream=stream, **(keys or {"p": "S"}))
        made.append(name)
        return name

    yield make
    for name in made:
        try:
            dynamodb.delete_table(TableName=name)
            wait_gone(dynamodb, name)
        except dynamodb.exceptions.ResourceNotFoundException:
            pass


@pytest.fixture
def key():
    """A partition key that no other test uses."""
    return {"p": {"S": uuid.uuid4().hex}}


@pytest.fixture
def watch(dynamodb, streams, new_table):
    """Makes a table with a stream to watch."""
    def make(view="NEW_AND_OLD_IMAGES", **keys):
        return Watch(dynamodb, streams, new_table(stream=view, **(keys or {"p": "S"})))
    return make


@pytest.fixture
def written(dynamodb, streams, watch):
    """A stream with ten records of one key, its shard, and the records."""
    w = watch("NEW_IMAGE")
    for i in range(10):
        dynamodb.put_item(TableName=w.table, Item={"p": S("x"), "i": N(i)})
    records = w.records(10)
    for shard in shards_of(streams, w.arn):
        if read_shard(streams, iterator(streams, w.arn, shard["ShardId"]), polls=1):
            w.shard = shard["ShardId"]
    w.numbers = [r["dynamodb"]["SequenceNumber"] for r in records]
    return w
