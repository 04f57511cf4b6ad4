"""Adds up the reports that tests/run collects, and prints "N passed, N failed" as its last line.

NAME.count       "passed failed" of something that has no report of its own
NAME.pytest.xml  JUnit report of pytest
NAME.ctest.xml   JUnit report of ctest, one entry per test program or shard of one; NAME/ENTRY.xml beside it
                 has its cases, unless it died before it could write them
"""

import pathlib
import sys
import xml.etree.ElementTree as ElementTree


def cases(path):
    """(passed, failed, skipped, names of those that failed) of a JUnit file."""
    passed = failed = skipped = 0
    names = []
    for case in ElementTree.parse(path).getroot().iter("testcase"):
        if case.find("failure") is not None or case.find("error") is not None:
            failed += 1
            names.append(f"{case.get('classname')}.{case.get('name')}")
        elif case.find("skipped") is not None or case.get("status") in ("notrun", "disabled"):
            skipped += 1
        else:
            passed += 1
    return passed, failed, skipped, names


def programs(path, folder):
    """The same of a ctest report with the programs' own reports."""
    total = [0, 0, 0, []]
    for program in ElementTree.parse(path).getroot().iter("testcase"):
        name = program.get("name")
        bad = program.get("status") == "fail" or program.find("failure") is not None
        own = folder / f"{name}.xml"
        try:
            counted = cases(own) if own.exists() else (0, 0, 0, [])
        except ElementTree.ParseError:
            counted = (0, 0, 0, [])
        for i in range(3):
            total[i] += counted[i]
        total[3] += counted[3]
        if bad and counted[1] == 0:  # crashed, or ran out of time
            total[1] += 1
            total[3].append(name)
        elif not bad and sum(counted[:3]) == 0:  # not a GoogleTest program
            total[0] += 1
    return total


def main(folder):
    passed = failed = skipped = 0
    for path in sorted(folder.iterdir()):
        stage = path.name.split(".")[0]
        names = []
        if path.name.endswith(".count"):
            good, bad = (int(n) for n in path.read_text().split())
            left_out = 0
            names = [stage] * min(bad, 1)
        elif path.name.endswith(".pytest.xml"):
            good, bad, left_out, names = cases(path)
        elif path.name.endswith(".ctest.xml"):
            good, bad, left_out, names = programs(path, folder / stage)
        else:
            continue
        print(f"{stage:24} {good:6} passed {bad:4} failed {left_out:4} skipped")
        for name in names:
            print(f"    failed: {name}")
        passed, failed, skipped = passed + good, failed + bad, skipped + left_out
    if skipped:
        print(f"{skipped} skipped")
    print(f"{passed} passed, {failed} failed")
    return 1 if failed or not passed else 0


if __name__ == "__main__":
    sys.exit(main(pathlib.Path(sys.argv[1])))
