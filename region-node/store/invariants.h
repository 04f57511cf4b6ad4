// check_store_invariants: reads a whole store file and says everything that is wrong with it.
//
// Every item's record is the one it names; every record but the newest of its key has a successor, and
// the chain is complete; logs are contiguous; counts and table figures are right; history, flows and
// stream shards fit.  For tests and the simulator: it reads everything.
// Threads: any.  REQUIRES: no store on a real file has it open (an in-memory one may).
// Errors: sqlite::SqliteError when the file cannot be read.
#pragma once

#include <string>
#include <vector>

namespace meridian::store {

// `path`: of store.db; or, with `vfs`, the name of a file there ("/" + memory_name on "memdb").
std::vector<std::string> check_store_invariants(const std::string& path,
                                                const std::string& vfs = "");

}  // namespace meridian::store
