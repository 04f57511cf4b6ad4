// What the store says of a write or of a change of a table, in AWS's errors.
//
// overloaded becomes ProvisionedThroughputExceededException: modelled on every item
// operation, and retried with back-off by every SDK.  A refused clock and a store that takes no writes
// become 503, retried likewise.
// Threads: any.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "region-node/api/call.h"
#include "region-node/api/mutation.h"

namespace meridian::api {

// REQUIRES: `status` is not committed.
ApiError write_error(store::WriteStatus status, const Mutation& mutation);
// `table`: the name as the client gave it.
ApiError control_error(store::ControlError error, const std::string& table);

// Submits and answers: `answer` makes the JSON once the write is committed (on the writer's thread).
void submit_write(const Services& services, const TableId& table, Bytes key,
                  std::shared_ptr<Mutation> mutation, std::function<std::string()> answer,
                  Reply reply);

}  // namespace meridian::api
