#include "region-node/collection_pages.h"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

#include "region-node/admin/target.h"

namespace meridian::node {
namespace json = boost::json;

std::optional<http::Response> CollectionPages::handle(const http::Request& request) const {
  if (admin::Target(request.target).path != "/v1/collections") return std::nullopt;
  if (request.method != "GET") return admin::complain(405, "only GET is served here");
  auto collections = read_();
  if (!collections) return admin::complain(503, "the node does not answer at present");
  json::array out;
  for (const auto& status : *collections) {
    json::value replica = nullptr;
    if (status.replica) replica = status.replica->name();
    out.push_back(json::object{{"table", status.table},
                               {"oldest_ms", status.oldest_ms},
                               {"horizon_ms", status.horizon_ms},
                               {"replica", std::move(replica)},
                               {"why", status.why},
                               {"stalled", status.stalled}});
  }
  return admin::answer(200, {{"region", region_.name()}, {"collections", std::move(out)}});
}

}  // namespace meridian::node
