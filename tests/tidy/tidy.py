#!/usr/bin/env python3
"""Checks of the source itself: layering, banned words, lengths, headers, scripts.

usage: tests/tidy/tidy.py
Reads the files that git knows or would add.  Prints every problem, then "tidy: N passed, N failed",
where each check is one; exits 1 if any failed.  Its own tests run first: a checker that finds nothing
because it is broken would be worse than none."""

import pathlib
import subprocess
import sys
import unittest

import layering
import shape
import words

ROOT = pathlib.Path(__file__).resolve().parents[2]
CODE = (".h", ".cc")
TEXT = CODE + (".py", ".cmake", ".capnp", ".sh", "CMakeLists.txt")


def files():
    """Path from the root -> content, of every file of ours."""
    try:
        listed = subprocess.run(
            ["git", "-c", "safe.directory=*", "ls-files", "--cached", "--others",
             "--exclude-standard"],
            cwd=ROOT, capture_output=True, text=True, check=True).stdout.splitlines()
    except (OSError, subprocess.CalledProcessError):  # not a checkout, or no git
        skip = {"build", "var", ".git", "node_modules", "__pycache__"}
        listed = [str(p.relative_to(ROOT)) for p in ROOT.rglob("*")
                  if p.is_file() and not skip & set(p.relative_to(ROOT).parts)]
    out = {}
    for path in sorted(set(listed)):
        full = ROOT / path
        if full.is_file() and (path.endswith(TEXT) or full.parent.name == "deploy"):
            out[path] = full.read_text(errors="replace")
    return out


def scripts(path, text):
    """Shell scripts parse."""
    if not text.startswith("#!/usr/bin/env bash"):
        return []
    done = subprocess.run(["bash", "-n", str(ROOT / path)], capture_output=True, text=True)
    return [] if done.returncode == 0 else [f"{path}: {done.stderr.strip()}"]


CHECKS = [
    ("layering", layering.problems, CODE),
    ("words", words.problems, CODE),
    ("columns", shape.long_lines, TEXT),
    ("file length", shape.long_file, TEXT),
    ("function length", shape.long_functions, (".cc",)),
    ("header contract", shape.header_contract, (".h",)),
    ("scripts", scripts, ("",)),
]


def main():
    suite = unittest.defaultTestLoader.discover(str(pathlib.Path(__file__).parent), "*_selftest.py")
    result = unittest.TextTestRunner(stream=sys.stderr, verbosity=0).run(suite)
    failed = len(result.failures) + len(result.errors)
    passed = result.testsRun - failed
    content = files()
    for name, check, endings in CHECKS:
        problems = [line for path, text in content.items() if path.endswith(endings)
                    for line in check(path, text)]
        for line in problems:
            print(line)
        passed, failed = (passed, failed + 1) if problems else (passed + 1, failed)
        if problems:
            print(f"tidy: {name}: {len(problems)} problems")
    print(f"tidy: {passed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
