// What the pages of the admin endpoint share: the target of a request taken apart, and answers.
//
// Threads: value types.
#pragma once

#include <boost/json/object.hpp>

#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include "common/http/server.h"
#include "region-node/model/key.h"
#include "region-node/store/store.h"

namespace meridian::admin {

// "/v1/tables/Orders/rows?after=00ff" taken apart.
struct Target {
  std::string path;
  std::string table;  // set for /v1/tables/NAME/...
  std::string leaf;   // what follows the name: "rows", "quarantine/retry"
  std::map<std::string, std::string, std::less<>> query;

  explicit Target(std::string_view target);
  // Empty when it is not there.
  [[nodiscard]] std::string value(std::string_view name) const;
};

http::Response answer(int status, const boost::json::object& body);
http::Response complain(int status, std::string problem);  // {"error": "..."}

std::string hex16(std::uint64_t value);
// {"customer": {"S": "c1"}}: keys hold only S, N and B.  Empty when it is no key of the schema.
boost::json::object readable_key(const model::KeySchema& schema, BytesView key);

}  // namespace meridian::admin
