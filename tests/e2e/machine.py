"""Faults of the machine that need root: small disks, and networks that can be cut in one direction.

Each skips the test, with the reason, where the kernel or the container does not permit it.
"""

import contextlib
import errno
import os
import pathlib
import shutil
import subprocess

import pytest


def run(*argv):
    done = subprocess.run(argv, capture_output=True, text=True, stdin=subprocess.DEVNULL)
    if done.returncode != 0:
        raise OSError(f"{' '.join(argv)}: {done.stderr.strip() or done.returncode}")
    return done.stdout


class SmallDisk:
    """A file system of its own in memory, mounted on `folder`, with a ballast file to fill it."""

    def __init__(self, folder, mib):
        self.folder = pathlib.Path(folder)
        self.mib = mib

    def __enter__(self):
        try:
            run("mount", "-t", "tmpfs", "-o", f"size={self.mib}m", "meridian-test", str(self.folder))
        except OSError as error:
            pytest.skip(f"no file system can be mounted here: {error}")
        return self

    def __exit__(self, *_):
        run("umount", "--lazy", str(self.folder))

    @property
    def ballast(self):
        return self.folder / "ballast"

    def fill(self, leave_kib=0):
        """Until so much is free, or nothing: a daemon may write at the same time."""
        with open(self.ballast, "ab", buffering=0) as file:
            try:
                while (free := self.free_kib()) > leave_kib or leave_kib == 0:
                    file.write(bytes(1024 * max(1, min(free - leave_kib, 1024))))
            except OSError as error:
                assert error.errno == errno.ENOSPC, error

    def free_kib(self):
        state = os.statvfs(self.folder)
        return state.f_bavail * state.f_frsize // 1024

    def make_room(self):
        self.ballast.unlink()


class Network:
    """A network namespace with one interface to the test and one to the other namespace.

    The daemons listen on loopback only, as they must; what comes in by an interface is redirected
    there by the kernel, so that the connections are whole TCP connections from process to process.
    """

    def __init__(self, name, test_host, peer_host):
        self.name = name
        self.test_host = test_host
        self.peer_host = peer_host

    def prefix(self):
        return ["ip", "netns", "exec", self.name]

    def inside(self, *argv):
        return run(*self.prefix(), *argv)

    def rules(self, text):
        done = subprocess.run([*self.prefix(), "nft", "-f", "-"], input=text, text=True,
                              capture_output=True)
        if done.returncode != 0:
            raise OSError(f"nft: {done.stderr.strip()}")

    def redirect_to_loopback(self):
        for interface in ("all", "test0", "peer0"):
            self.inside("sh", "-c", f"echo 1 > /proc/sys/net/ipv4/conf/{interface}/route_localnet")
        self.rules("""
            table ip meridian {
              chain in {
                type nat hook prerouting priority dstnat;
                iifname { "test0", "peer0" } ip protocol tcp dnat to 127.0.0.1
              }
              chain cut { type filter hook input priority raw; }
            }""")

    def drop_arriving(self):
        """Nothing that the other namespace sends arrives; what is sent there still leaves."""
        self.inside("nft", "add", "rule", "ip", "meridian", "cut", "iifname", "peer0", "drop")

    def heal(self):
        self.inside("nft", "flush", "chain", "ip", "meridian", "cut")


@contextlib.contextmanager
def two_networks():
    """Two Networks that see each other and the test."""
    for tool in ("ip", "nft"):
        if shutil.which(tool) is None:
            pytest.skip(f"{tool} is not installed (deploy/packages)")
    tag = f"{os.getpid():x}"[-6:]
    third = os.getpid() % 250
    networks = [Network(f"meridian-{tag}{side}", test_host=f"10.{213 + index}.{third}.2",
                        peer_host=f"10.215.{third}.{2 + index}")
                for index, side in enumerate("ab")]
    try:
        try:
            make_networks(networks, tag, third)
        except OSError as error:
            pytest.skip(f"no network namespaces here: {error}")
        yield networks
    finally:
        for network in networks:
            subprocess.run(["ip", "netns", "delete", network.name], capture_output=True)


def make_networks(networks, tag, third):
    for network in networks:
        run("ip", "netns", "add", network.name)
        network.inside("ip", "link", "set", "lo", "up")
    first, second = networks
    run("ip", "link", "add", "peer0", "netns", first.name, "type", "veth",
        "peer", "name", "peer0", "netns", second.name)
    for index, network in enumerate(networks):
        outside = f"mer{tag}{'ab'[index]}"
        run("ip", "link", "add", outside, "type", "veth", "peer", "name", "test0",
            "netns", network.name)
        run("ip", "address", "add", f"10.{213 + index}.{third}.1/24", "dev", outside)
        run("ip", "link", "set", outside, "up")
        network.inside("ip", "address", "add", f"{network.test_host}/24", "dev", "test0")
        network.inside("ip", "address", "add", f"{network.peer_host}/24", "dev", "peer0")
        for interface in ("test0", "peer0"):
            network.inside("ip", "link", "set", interface, "up")
        network.redirect_to_loopback()
