#include "region-node/api/json_out.h"
#include "region-node/api/ops/ops.h"

namespace meridian::api::ops {

// The address by which the client reached this node, which is the one that works for it.
Answer describe_endpoints(const Call& call) {
  std::string address(call.host);
  if (address.empty()) {
    address = "dynamodb.";
    address.append(call.services.store.region().name()).append(".amazonaws.com");
  }
  std::string out = "{\"Endpoints\":[";
  JsonMembers members(out);
  members.text("Address", address);
  members.integer("CachePeriodInMinutes", 1440);
  members.end();
  out += "]}";
  return out;
}

// DynamoDB's default quotas.  None of them is enforced here.
Answer describe_limits(const Call&) {
  std::string out;
  JsonMembers members(out);
  members.integer("AccountMaxReadCapacityUnits", 80'000);
  members.integer("AccountMaxWriteCapacityUnits", 80'000);
  members.integer("TableMaxReadCapacityUnits", 40'000);
  members.integer("TableMaxWriteCapacityUnits", 40'000);
  members.end();
  return out;
}

}  // namespace meridian::api::ops
