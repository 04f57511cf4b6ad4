// Dispatcher: from X-Amz-Target to the operation, and from its Answer to an HTTP response.
// Threads: any.
// Source: the AWS JSON 1.0 protocol.
#pragma once

#include <atomic>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "common/http/message.h"
#include "common/rng.h"
#include "region-node/api/call.h"

namespace meridian::api {

struct Operation {
  std::string_view name;
  // Exactly one of the two is set.
  Answer (*read)(const Call& call);
  void (*write)(const Call& call, Reply reply);
};

// Every operation, in a fixed order.
const std::vector<Operation>& operations();
// `target`: the header's value, such as DynamoDB_20120810.PutItem.  Null when there is no such
// operation.
const Operation* find_operation(std::string_view target);

// Unguessable-looking ids that never repeat: 52 characters, as AWS's.
class RequestIds {
 public:
  explicit RequestIds(Rng rng) : key_(rng.next()) {}
  std::string next();

 private:
  const std::uint64_t key_;
  std::atomic<std::uint64_t> count_{0};
};

http::Response to_response(Answer answer, RequestIds& ids);

}  // namespace meridian::api
