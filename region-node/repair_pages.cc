#include "region-node/repair_pages.h"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

#include "region-node/admin/target.h"

namespace meridian::node {
namespace json = boost::json;

namespace {

json::object as_json(const peer::RepairStatus& status) {
  json::value scrub = nullptr;
  if (status.scrubbed_wall_ms)
    scrub = json::object{{"at_ms", *status.scrubbed_wall_ms},
                         {"rows", status.scrub_rows},
                         {"in_flight", status.scrub_in_flight},
                         {"differing", status.scrub_differing}};
  return {{"table", status.table},
          {"peer", status.peer.name()},
          {"needed", status.needed},
          {"doing", status.doing},
          {"problem", status.problem},
          {"frozen", status.frozen},
          {"repairs", status.repairs},
          {"rows", status.rows_repaired},
          {"bytes", status.bytes_exchanged},
          {"last", json::object{{"rows", status.last_rows},
                                {"bytes", status.last_bytes},
                                {"ms", status.last_ms}}},
          {"scrub", std::move(scrub)}};
}

}  // namespace

std::optional<http::Response> RepairPages::handle(const http::Request& request) const {
  admin::Target target(request.target);
  if (target.path == "/v1/repairs" && request.method == "GET") return list();
  if (target.leaf != "repair") return std::nullopt;
  if (request.method != "POST") return admin::complain(405, "only POST asks for a repair");
  return ask(target.table, target.value("peer"));
}

http::Response RepairPages::list() const {
  auto repairs = repairs_.read();
  if (!repairs) return admin::complain(503, "the node does not answer at present");
  json::array out;
  for (const auto& status : *repairs) out.push_back(as_json(status));
  return admin::answer(200, {{"region", store_.region().name()}, {"repairs", std::move(out)}});
}

http::Response RepairPages::ask(const std::string& name, const std::string& peer) const {
  auto table = store_.catalog()->find(name);
  if (!table) return admin::complain(404, "no table named " + name);
  auto region = RegionId::parse(peer);
  if (!region || *region == store_.region() || !table->has_replica(*region))
    return admin::complain(400, "peer must be another region that holds the table");
  if (!repairs_.ask(table->id, *region))
    return admin::complain(503, "the node does not answer at present");
  return admin::answer(200, {{"table", name}, {"peer", region->name()}, {"asked", true}});
}

}  // namespace meridian::node
