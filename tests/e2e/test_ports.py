"""No port is ever drawn twice, whoever draws it."""

import os
import socket
import subprocess
import sys

from cluster import ROOT
from ports import free_base, to_draw_from

# The ranges here lie outside the one that tests draw from (ports.py), of which others hold some.
DRAW = """
import sys
sys.path.insert(0, sys.argv[1])
from ports import free_port
print(*[free_port() for _ in range(int(sys.argv[2]))], flush=True)
sys.stdin.read()
"""


class Drawer:
    """A process that draws ports and holds them until it is told to end."""

    def __init__(self, count, ports):
        self.process = subprocess.Popen(
            [sys.executable, "-c", DRAW, str(ROOT / "tests/e2e"), str(count)], text=True,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            env={**os.environ, "MERIDIAN_TEST_PORTS": ports})
        self.ports = {int(port) for port in self.process.stdout.readline().split()}

    def end(self):
        return self.process.communicate(timeout=30)[1]


def test_what_one_process_has_drawn_no_other_draws():
    drawers = [Drawer(10, "17000-17029") for _ in range(3)]
    try:
        drawn = [drawer.ports for drawer in drawers]
        assert set.union(*drawn) == set(range(17000, 17030)), drawn
        assert "no free port" in Drawer(1, "17000-17029").end()
    finally:
        for drawer in drawers:
            drawer.end()
    # They are free again once their owners are gone.
    later = Drawer(30, "17000-17029")
    assert len(later.ports) == 30, later.end()
    later.end()


def test_a_port_that_is_bound_is_not_drawn():
    with socket.socket() as held:
        held.bind(("127.0.0.1", 17040))
        drawer = Drawer(1, "17040-17041")
        assert drawer.ports == {17041}, drawer.end()
        drawer.end()


def test_ports_of_outgoing_connections_are_not_drawn():
    assert to_draw_from("", (32768, 60999)) == list(range(20_000, 30_000))
    assert to_draw_from("", (16000, 65535)) == list(range(6000, 16_000))
    assert to_draw_from("100-103", (102, 200)) == [100, 101]
    assert to_draw_from("300-300", (102, 200)) == [300]


def test_a_deployments_ports_are_its_own():
    bases = [free_base(), free_base()]
    ports = [base + 7000 + 100 * i for base in bases for i in range(3)]
    assert len(set(ports)) == 6
    for port in ports:
        assert "no free port" in Drawer(1, f"{port}-{port}").end()
