// Call: what an operation is given, and what it answers with.
//
// An operation that only reads returns its Answer.  One that writes is given a Reply, which it (or the
// store's writer, later) calls exactly once.
// Threads: a Call lives on the HTTP thread until the operation returns; nothing that outlives the
// return may keep a view of it.  A Reply may be called from any thread.
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "common/clock.h"
#include "common/result.h"
#include "region-node/api/json_in.h"
#include "region-node/api/reader_pool.h"
#include "region-node/api/replica_control.h"
#include "region-node/store/store.h"

namespace meridian::api {

// What operations work with; outlives every call.
struct Services {
  store::Store& store;
  ReplicaControl& replicas;
  const Clock& clock;
  ReaderPool& readers;
  bool global_tables_2017 = false;  // the calls of that version work
};

struct Call {
  Services& services;
  JsonObject input;
  std::string_view host;  // the Host header, as the client reached this node
  std::string_view if_version = {};  // the X-Meridian-If-Version header
};

// The JSON of a successful answer.
using Answer = Result<std::string, ApiError>;
using Reply = std::function<void(Answer)>;

}  // namespace meridian::api
