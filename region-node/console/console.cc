#include "region-node/console/console.h"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

#include <fmt/format.h>

#include "common/bytes.h"
#include "region-node/console/assets.h"

namespace meridian::console {
namespace {

namespace json = boost::json;

std::string path_of(const http::Request& request) {
  return request.target.substr(0, request.target.find('?'));
}

const Asset* asset_of(const std::string& path) {
  return find_asset(path == "/" ? "/console/index.html" : path);
}

json::array addresses_of(const Addresses& addresses, const RegionId& region) {
  json::array out;
  for (const auto& [name, address] : addresses)
    if (name == region) out.push_back(json::string("http://" + address));
  return out;
}

std::string regions_json(const ConsoleOptions& options) {
  json::array regions;
  for (const auto& [region, address] : options.nodes)
    regions.push_back(json::object{{"name", region.name()},
                                   {"admin", "http://" + address},
                                   {"replicators", addresses_of(options.replicators, region)}});
  // Not told of the deployment: the page shows this region alone, by the address that it came from.
  if (options.nodes.empty())
    regions.push_back(json::object{
        {"name", options.region.name()}, {"admin", ""}, {"replicators", json::array()}});
  json::value drills = nullptr;
  if (!options.drills.empty()) drills = json::string("http://" + options.drills);
  return json::serialize(json::object{
      {"region", options.region.name()}, {"regions", regions}, {"drills", std::move(drills)}});
}

std::string policy(const ConsoleOptions& options) {
  std::string calls = "'self'";
  for (const auto* addresses : {&options.nodes, &options.replicators})
    for (const auto& [region, address] : *addresses) calls += " http://" + address;
  if (!options.drills.empty()) calls += " http://" + options.drills;
  return "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
         "connect-src " +
         calls + "; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
}

}  // namespace

Console::Console(ConsoleOptions options)
    : options_(std::move(options)),
      regions_json_(regions_json(options_)),
      policy_(policy(options_)) {}

std::vector<std::string> Console::origins() const {
  std::vector<std::string> out;
  for (const auto& [region, address] : options_.nodes) out.push_back(address);
  return out;
}

bool Console::has_asset(const http::Request& request) {
  return asset_of(path_of(request)) != nullptr;
}

std::optional<http::Response> Console::handle(const http::Request& request) const {
  if (request.method != "GET") return std::nullopt;
  std::string path = path_of(request);
  http::Response out;
  if (path == "/v1/console") {
    out.body = regions_json_;
    return out;
  }
  const Asset* asset = asset_of(path);
  if (asset == nullptr) return std::nullopt;
  std::string tag = fmt::format("\"{:016x}\"", hash64(asset->bytes));
  out.content_type = std::string(asset->content_type);
  out.headers = {{"ETag", tag},
                 {"Cache-Control", "no-cache"},
                 {"Content-Security-Policy", std::string(policy_)},
                 {"X-Content-Type-Options", "nosniff"},
                 {"Referrer-Policy", "no-referrer"}};
  if (request.header("If-None-Match") == tag) {
    out.status = 304;
  } else {
    out.body = std::string(asset->bytes);
  }
  return out;
}

}  // namespace meridian::console
