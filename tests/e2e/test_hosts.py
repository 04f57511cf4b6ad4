"""The settings and units of docs/HOSTS.md: what they name is there, and daemons take them."""

import os
import pathlib
import shlex
import subprocess

import pytest

SYSTEMD = pathlib.Path(__file__).resolve().parents[2] / "deploy" / "systemd"
BIN = pathlib.Path(os.environ["MERIDIAN_BIN"])


def unit(program):
    """The settings of a unit's [Service] part."""
    lines = (SYSTEMD / f"meridian-{program}.service").read_text().splitlines()
    return dict(line.split("=", 1) for line in lines if "=" in line and not line.startswith("#"))


@pytest.mark.parametrize("program", ["region-node", "replicator"])
def test_the_unit_starts_the_program_with_the_sample_settings(program, tmp_path):
    command, *flags = shlex.split(unit(program)["ExecStart"])
    assert pathlib.Path(command).name == program
    assert flags == ["--config", f"/etc/meridian/{program}.yaml"]
    # The sample's token is on the host; this one stands in for it.
    assert "\nadmin_token_file: /etc/meridian/admin-token\n" in (SYSTEMD / f"{program}.yaml").read_text()
    token = tmp_path / "admin-token"
    token.write_text("0123456789abcdef\n")
    done = subprocess.run([BIN / program, "--config", SYSTEMD / f"{program}.yaml", "--check-config",
                           "--admin-token-file", token], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert f"region = us-east-1 (file {SYSTEMD}/{program}.yaml)" in done.stdout.splitlines()
    assert "/var/lib/" + unit(program)["StateDirectory"] in done.stdout


@pytest.mark.parametrize("program", ["region-node", "replicator"])
def test_wrong_settings_end_it_as_the_unit_expects(program, tmp_path):
    settings = tmp_path / "wrong.yaml"
    settings.write_text((SYSTEMD / f"{program}.yaml").read_text() + "\nregoin: us-east-1\n")
    done = subprocess.run([BIN / program, "--config", settings], capture_output=True, text=True, timeout=60)
    assert str(done.returncode) == unit(program)["RestartPreventExitStatus"], done.stderr
    assert "regoin" in done.stderr
