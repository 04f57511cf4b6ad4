"""Neighbouring releases replicate, so that regions can be upgraded one after the other.

MERIDIAN_PREVIOUS_BIN may name the programs of the previous release; then they take part themselves.
"""

import contextlib
import http.server
import json
import os
import pathlib
import threading

import pytest
import yaml

from cluster import Cluster, http_get, program, wait_until
from load import Load
from ports import free_port


def hold_down(region, protocol):
    """A region that speaks an older protocol than it could."""
    for name in ("region-node.yaml", "replicator.yaml"):
        settings = region.folder / name
        settings.write_text(settings.read_text() + yaml.safe_dump({"protocol_max": protocol}))


def drop(region, setting):
    for name in ("region-node.yaml", "replicator.yaml"):
        settings = region.folder / name
        config = yaml.safe_load(settings.read_text())
        config.pop(setting, None)
        settings.write_text(yaml.safe_dump(config))


def spoken(region, other):
    peers = json.loads(http_get(region.replicator_url("/v1/status"))[1])["peers"]
    return next(p["protocol"] for p in peers if p["region"] == other.name)


def restart(*processes):
    for process in processes:
        process.stop()
        process.start()


def test_a_region_of_the_previous_protocol_replicates_both_ways(tmp_path):
    made = Cluster(tmp_path, count=2)
    new, old = made
    hold_down(old, 2)
    with made:
        made.create_global_table("Orders")
        with Load(made, pause=0.005) as load:
            load.wait_progress()
            assert spoken(new, old) == 2 and spoken(old, new) == 2
            # Upgraded while it is written to.
            drop(old, "protocol_max")
            restart(old.node, old.replicator)
            wait_until(lambda: spoken(new, old) == 3 and spoken(old, new) == 3, 20,
                       "the newer protocol is spoken")
            load.wait_progress()
        load.settle()
        assert not made.deaths()


def test_rolling_upgrade_from_the_previous_release(tmp_path):
    previous = os.environ.get("MERIDIAN_PREVIOUS_BIN")
    if not previous:
        pytest.skip("MERIDIAN_PREVIOUS_BIN names no programs of the previous release")
    made = Cluster(tmp_path)
    for region in made:
        drop(region, "console")  # a setting of this release
        for process in (region.node, region.replicator):
            process.argv[0] = str(pathlib.Path(previous, pathlib.Path(process.argv[0]).name))
    with made:
        made.create_global_table("Orders")
        with Load(made, pause=0.005) as load:
            load.wait_progress()
            for region in made:
                # Its node first, then its replicator; in between the old one works for the new.
                for process in (region.node, region.replicator):
                    assert process.stop() == 0
                    process.argv[0] = program(pathlib.Path(process.argv[0]).name)
                    process.start()
                    load.wait_progress()
        load.settle()
        assert all(spoken(a, b) == 3 for a in made for b in made if a is not b)
        assert not made.deaths()


@contextlib.contextmanager
def older(region):
    """The admin endpoint of a region as a release has it that knows `GET` of a few pages and nothing else;
    its address."""
    class Pages(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            if self.path == "/v1/status":
                self.say(*http_get(region.admin_url(self.path)))
            else:
                self.say(404, json.dumps({"error": "no such page; see /v1/status, /metrics"}))

        def do_POST(self):
            self.say(405, json.dumps({"error": "only GET is served here"}))

        def say(self, status, body):
            self.send_response(status)
            self.send_header("Content-Length", str(len(body.encode())))
            self.end_headers()
            self.wfile.write(body.encode())

        def log_message(self, *_):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", free_port()), Pages)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    server.server_close()


def test_a_node_too_old_for_a_call_is_said_to_be(tmp_path):
    with Cluster(tmp_path, count=2) as made, older(made[1]) as address:
        made.create_global_table("Orders")
        new, old = made
        deployment = yaml.safe_load(made.deployment.read_text())
        deployment["regions"][1]["admin"] = address
        made.deployment.write_text(yaml.safe_dump(deployment))
        for call, page in ((["verify", "Orders"], "/v1/tables/Orders/rows"),
                           (["drain", "--from", old.name, "--to", new.name], "/v1/barrier"),
                           (["drain", "--from", new.name, "--to", old.name], "/v1/drained")):
            done = made.cli(*call)
            said = done.stdout + done.stderr
            assert done.returncode == 4, (call, said)
            assert f"{old.name} is up" in said and page in said and "older release" in said, (call, said)
            assert "cannot be reached" not in said, call
        # One that is down is another thing.
        old.node.kill()
        deployment["regions"][1]["admin"] = old.address("admin")
        made.deployment.write_text(yaml.safe_dump(deployment))
        done = made.cli("verify", "Orders")
        assert done.returncode == 3 and f"{old.name} cannot be reached" in done.stderr
