"""Which folder may include which.  Dependencies point downwards only; region-node and replicator
meet nowhere but in rpc.  A new edge is a decision: change the table in the same commit, and say why."""

import re

# Folder -> folders (or single headers) that it may include besides itself.  The longest matching
# folder decides.  "common" alone does not include its subfolders.
ALLOWED = {
    "common": [],
    "common/http": ["common"],
    "common/sqlite": ["common"],
    "conflict": ["common/ids.h", "common/result.h", "common/check.h", "common/bytes.h"],
    "checkpoint": ["common", "common/sqlite"],
    "rpc": ["common", "conflict"],
    # Faults on purpose; the pages that make them are part of both daemons' admin endpoints.
    "rpc/faults": ["common", "common/http", "rpc"],
    "region-node/model": ["common"],
    "region-node/expr": ["common", "region-node/model"],
    # Pure, as the replicator's core is; the peer layer and the simulator drive it.
    "region-node/copy": ["common/ids.h", "common/bytes.h", "conflict", "rpc/rows.h"],
    "region-node/store": ["common", "common/sqlite", "conflict", "rpc/change_record.h",
                          "rpc/repair.h", "rpc/rows.h", "rpc/watermark.h", "region-node/model",
                          "region-node/expr"],
    # What two regions do to compare a table and mend it, without saying how they talk.
    "region-node/repair": ["common", "conflict", "rpc/change_record.h", "rpc/repair.h",
                           "rpc/rows.h", "region-node/model", "region-node/store"],
    "region-node/api": ["common", "common/http", "conflict", "region-node/model",
                        "region-node/expr", "region-node/store"],
    # Replica control is an interface of the API that the peer layer fulfils.
    "region-node/peer": ["common", "conflict", "rpc", "rpc/faults", "checkpoint",
                         "region-node/model", "region-node/copy", "region-node/store",
                         "region-node/repair",
                         "region-node/api/replica_control.h", "region-node/api/error.h"],
    "region-node/console": ["common", "common/http"],
    "region-node/admin": ["common", "common/http", "conflict", "region-node/model",
                          "region-node/store", "region-node/repair", "rpc/repair.h"],
    # The composition root of the daemon: node.cc, config.cc, main.cc.
    "region-node": ["common", "common/http", "conflict", "rpc", "rpc/faults", "region-node/model",
                    "region-node/expr", "region-node/store", "region-node/api",
                    "region-node/peer", "region-node/admin", "region-node/console"],
    # Pure: the clock, sockets and files of its surroundings do not exist here.
    "replicator/core": ["conflict", "common/ids.h", "common/result.h", "common/check.h",
                        "common/rng.h", "common/histogram.h", "common/lag_counts.h",
                        "rpc/change_record.h", "rpc/backoff.h", "rpc/watermark.h"],
    # status.h: plain values that every part fills in and the admin endpoint shows.
    "replicator/io": ["common", "conflict", "rpc", "rpc/faults", "checkpoint", "replicator/core",
                      "replicator/status.h"],
    # Shows what the supervisor says of itself.
    "replicator/admin": ["common", "common/http", "rpc/faults/pages.h",
                         "rpc/link_trouble.h", "replicator/core",
                         "replicator/status.h", "replicator/supervisor.h"],
    # The composition root of the daemon: supervisor, flows, config.cc, main.cc.
    "replicator": ["common", "common/http", "conflict", "rpc", "rpc/faults", "checkpoint",
                   "replicator/core", "replicator/io", "replicator/admin"],
    # Puts the ledgers of the regions together by the rule of conflict/ledger.h.
    "tools/meridian": ["common", "common/http", "conflict"],
    # Feeds a region below HTTP, so it runs the store and its peer server itself.
    "tools/bench": ["common", "common/http", "common/sqlite", "conflict", "region-node/model",
                    "region-node/store", "region-node/peer"],
    "tools/sim": ["common", "tests/sim"],
    # Tests may include what they test, whole.
    "tests": None,
    # The simulated world runs both daemons' libraries in one process.
    "tests/sim": ["common", "conflict", "rpc", "checkpoint", "region-node/model",
                  "region-node/copy", "region-node/store", "region-node/repair",
                  "replicator/core"],
}

INCLUDE = re.compile(r'^\s*#\s*include\s*"([^"]+)"', re.MULTILINE)


def folder_of(path):
    """The entry of the table that decides for `path`, a path from the repository's root."""
    parts = path.split("/")[:-1]
    while parts:
        folder = "/".join(parts)
        if folder in ALLOWED:
            return folder
        parts.pop()
    return None


def permitted(source_folder, included):
    allowed = ALLOWED[source_folder]
    target = folder_of(included)
    return (allowed is None or target == source_folder or target in allowed
            or included in allowed)


def problems(path, text):
    """One line per forbidden include in `text`, the content of `path`."""
    found = []
    folder = folder_of(path)
    if folder is None:
        return [f"{path}: its folder is not in the table of tests/tidy/layering.py"]
    for match in INCLUDE.finditer(text):
        included = match.group(1)
        if included.endswith(".capnp.h"):  # generated into the build folder
            included = "rpc/" + included.split("/")[-1]
        line = text.count("\n", 0, match.start()) + 1
        if folder_of(included) is None:
            found.append(f"{path}:{line}: \"{included}\" is not a path from the root")
        elif not permitted(folder, included):
            found.append(f"{path}:{line}: {folder} may not include \"{included}\"")
    return found
