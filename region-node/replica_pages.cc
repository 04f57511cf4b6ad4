#include "region-node/replica_pages.h"

#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

#include <chrono>
#include <future>
#include <memory>
#include <string>
#include <string_view>

namespace meridian::node {
namespace {

namespace json = boost::json;

http::Response answer(int status, const json::object& body) {
  http::Response out;
  out.status = status;
  out.body = json::serialize(body);
  return out;
}

http::Response complain(int status, const std::string& reason) {
  return answer(status, {{"error", reason}});
}

// What lies before the next slash, which is taken too.
std::string_view take_part(std::string_view& path) {
  auto slash = std::min(path.find('/'), path.size());
  auto part = path.substr(0, slash);
  path.remove_prefix(std::min(slash + 1, path.size()));
  return part;
}

}  // namespace

std::optional<http::Response> ReplicaPages::handle(const http::Request& request) {
  constexpr std::string_view kTables = "/v1/tables/";
  std::string_view path = request.target;
  path = path.substr(0, path.find('?'));
  if (!path.starts_with(kTables)) return std::nullopt;
  path.remove_prefix(kTables.size());
  std::string name(take_part(path));
  if (take_part(path) != "replicas") return std::nullopt;
  auto region = RegionId::parse(std::string(take_part(path)));
  if (!region || path != "expel") return complain(404, "no such page");
  if (request.method != "POST") return complain(405, "only POST removes a replica");
  auto table = store_.catalog()->find(name);
  if (!table) return complain(404, "no table named " + name);

  auto done = std::make_shared<std::promise<Result<void, api::ApiError>>>();
  auto said = done->get_future();
  control_.expel_replica(table, *region, [done](Result<void, api::ApiError> result) {
    done->set_value(std::move(result));
  });
  if (said.wait_for(std::chrono::milliseconds(kWaitMsMax)) != std::future_status::ready)
    return complain(503, "it is still under way");
  auto result = said.get();
  if (!result) return complain(result.error().http_status, result.error().message);
  return answer(200, {{"table", name}, {"region", region->name()}, {"expelled", true}});
}

}  // namespace meridian::node
