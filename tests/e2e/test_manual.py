"""What the command line says of itself: completion for bash and zsh, and the manual page."""

import re
import shutil
import subprocess

import pytest
from cluster import program


def said(*words):
    return subprocess.run([program("meridian"), *words], capture_output=True, text=True, check=True).stdout


def commands(*words):
    """Every command below `words`, from the help of each."""
    help_text = said(*words, "--help")
    part = help_text.partition("Subcommands:")[2].partition("\n\n")[0]
    names = re.findall(r"^  (\S+)", part, re.MULTILINE)
    if not names:
        return [" ".join(words)]
    return [path for name in names for path in commands(*words, name)]


def complete(script, *words):
    """What bash offers for the last of `words`."""
    shell = ('source "$0"; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _meridian; '
             'printf "%s\\n" "${COMPREPLY[@]}"')
    done = subprocess.run(["bash", "-c", shell, str(script), *words], capture_output=True, text=True,
                          check=True)
    return done.stdout.split()


@pytest.fixture
def bash(tmp_path):
    script = tmp_path / "meridian.bash"
    script.write_text(said("completion", "bash"))
    return script


def test_bash_is_offered_commands_flags_and_values(bash):
    assert complete(bash, "meridian", "dri") == ["drill"]
    assert complete(bash, "meridian", "drill", "re") == ["report"]
    assert "--abort-if" in complete(bash, "meridian", "drill", "run", "--")
    assert complete(bash, "meridian", "drill", "run", "region-") == ["region-loss"]
    assert complete(bash, "meridian", "lag", "-o", "") == ["table", "json", "csv"]
    assert complete(bash, "meridian", "-o", "json", "link", "h") == ["heal"]


def test_every_command_is_in_all_three(bash, tmp_path):
    paths = commands()
    assert len(paths) > 20
    zsh, page = said("completion", "zsh"), said("man").replace("\\-", "-")
    for path in paths:
        assert f"'{path}') words=" in bash.read_text() and f"'{path}') found=" in zsh, path
        assert re.search(rf'^\.SS "meridian {re.escape(path)}[" ]', page, re.MULTILINE), path
    if shutil.which("zsh"):
        (tmp_path / "_meridian").write_text(zsh)
        subprocess.run(["zsh", "-n", str(tmp_path / "_meridian")], check=True)


def test_the_manual_page_is_well_formed():
    if not shutil.which("groff"):
        pytest.skip("groff is missing")
    done = subprocess.run(["groff", "-man", "-ww", "-Tutf8"], input=said("man"), text=True,
                          capture_output=True)
    assert done.returncode == 0 and done.stderr == "", done.stderr
    assert "EXIT STATUS" in re.sub(r".\x08|\x1b\[[0-9;]*m", "", done.stdout)
