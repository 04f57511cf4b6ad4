"""A link that is cut in one direction only, between two network namespaces."""

import pytest

from cluster import Cluster
from load import Load
from machine import two_networks


@pytest.fixture
def split(tmp_path):
    """Two regions, each in a network of its own."""
    with two_networks() as networks, Cluster(tmp_path, count=2, networks=networks) as made:
        made.create_global_table("Orders")
        yield made, networks
        assert not made.deaths()


def test_packets_are_lost_in_one_direction(split, long):
    # TCP needs both directions, so both links stand still.  They differ inside: what the deaf region
    # sends still arrives and is applied, but it never hears that it was; so after the cut it ships
    # again, and the other's position is what keeps records from being applied twice.
    made, networks = split
    for deaf in networks if long else networks[1:]:
        with Load(made, pause=0.005, prefix=f"{deaf.name}-") as load:
            load.wait_progress()
            deaf.drop_arriving()
            for source, sink in ((made[0], made[1]), (made[1], made[0])):
                row = made.wait_ageing("Orders", source, sink)
                assert row["pending_records"] > 0, row
            load.wait_progress()  # the clients of both regions go on
            assert all(p.ready() for p in made.processes()), "a peer's outage is not ours"
            deaf.heal()
            load.wait_progress()
        load.settle()
