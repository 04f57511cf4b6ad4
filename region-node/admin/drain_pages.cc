#include "region-node/admin/drain_pages.h"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include <chrono>
#include <future>

#include "region-node/admin/target.h"
#include "region-node/store/drain.h"

namespace meridian::admin {
namespace json = boost::json;

namespace {

// The request cannot be understood; the text says where.
struct Misunderstood {
  std::string what;
};

std::uint64_t number_of(const json::object& object, std::string_view name) {
  const json::value* value = object.if_contains(name);
  if (value != nullptr && value->is_string()) {
    auto bytes = from_hex(std::string_view(value->as_string()));
    BytesView view = bytes ? BytesView(*bytes) : BytesView();
    if (auto number = take_u64(view); number && view.empty()) return *number;
  }
  throw Misunderstood{std::string(name) + " must be 16 hexadecimal digits"};
}

RegionId region_of(std::string_view name) {
  if (auto region = RegionId::parse(name)) return *region;
  throw Misunderstood{"'" + std::string(name) + "' is not the name of a region"};
}

const json::value& member(const json::object& object, std::string_view name) {
  if (const json::value* value = object.if_contains(name)) return *value;
  throw Misunderstood{std::string(name) + " is missing"};
}

const json::array& list_of(const json::object& object, std::string_view name) {
  const json::value& value = member(object, name);
  if (!value.is_array()) throw Misunderstood{std::string(name) + " must be a list"};
  return value.as_array();
}

std::string_view text_of(const json::object& object, std::string_view name) {
  const json::value& value = member(object, name);
  if (!value.is_string()) throw Misunderstood{std::string(name) + " must be a text"};
  return value.as_string();
}

const json::object& object_of(const json::value& value, std::string_view name) {
  if (!value.is_object()) throw Misunderstood{std::string(name) + " must be an object"};
  return value.as_object();
}

std::set<RegionId> regions_of(const json::object& object, std::string_view key) {
  std::set<RegionId> out;
  for (const auto& region : list_of(object, key)) {
    if (!region.is_string()) throw Misunderstood{std::string(key) + " must be a list of regions"};
    out.insert(region_of(std::string_view(region.as_string())));
  }
  return out;
}

json::object position_json(const LogPosition& position) {
  return {{"start", hex16(position.start.value)}, {"sequence", hex16(position.sequence.value)}};
}

LogPosition position_of(const json::object& object) {
  return {StartId(number_of(object, "start")), Sequence(number_of(object, "sequence"))};
}

// Why the barrier is not over a table.
std::string_view reason_left_out(const store::Catalog& catalog, const RegionId& self,
                                 const store::DrainQuestion::Table& table) {
  if (!table.left_out()) return "";
  auto info = catalog.find(table.id);
  if (!info) return "gone";
  return info->is_fenced(self) ? "fenced" : "frozen";
}

json::object table_json(const store::DrainQuestion::Table& table, const std::string& name,
                        std::string_view left_out) {
  json::array ends;
  for (const auto& end : table.ends) ends.push_back(position_json(end));
  json::array flows;
  for (const auto& [flow, position] : table.flows) {
    json::object entry = position_json(position);
    entry["source"] = std::string(flow.first.name());
    entry["shard"] = flow.second.value;
    flows.push_back(std::move(entry));
  }
  json::object watermarks;
  for (const auto& [origin, time] : table.watermarks)
    watermarks[std::string(origin.name())] = hex16(time.value);
  json::object unsettled;
  for (const auto& [ended, holders] : table.unsettled) {
    json::array& names = unsettled[std::string(ended.name())].emplace_array();
    for (const auto& holder : holders) names.emplace_back(std::string(holder.name()));
  }
  return {{"name", name},
          {"id", table.id.hex()},
          {"ends", std::move(ends)},
          {"flows", std::move(flows)},
          {"watermarks", std::move(watermarks)},
          {"mended", table.mended},
          {"unsettled", std::move(unsettled)},
          {"left_out", left_out}};
}

store::DrainQuestion::Table table_of(const json::object& object) {
  store::DrainQuestion::Table out;
  auto id = TableId::parse(text_of(object, "id"));
  if (!id) throw Misunderstood{"id must be 32 hexadecimal digits"};
  out.id = *id;
  for (const auto& end : list_of(object, "ends"))
    out.ends.push_back(position_of(object_of(end, "an end")));
  for (const auto& flow : list_of(object, "flows")) {
    const json::object& entry = object_of(flow, "a flow");
    const json::value& shard = member(entry, "shard");
    if (!shard.is_int64() || shard.as_int64() < 0 || shard.as_int64() >= store::kShardsMax)
      throw Misunderstood{"shard must be the number of a shard"};
    out.flows[{region_of(text_of(entry, "source")),
               ShardId(static_cast<std::uint16_t>(shard.as_int64()))}] = position_of(entry);
  }
  const json::object& watermarks = object_of(member(object, "watermarks"), "watermarks");
  for (const auto& [origin, time] : watermarks)
    out.watermarks[region_of(origin)] = conflict::Hlc{number_of(watermarks, origin)};
  const json::value& mended = member(object, "mended");
  if (!mended.is_bool()) throw Misunderstood{"mended must be true or false"};
  out.mended = mended.as_bool();
  const json::object& unsettled = object_of(member(object, "unsettled"), "unsettled");
  for (const auto& [ended, holders] : unsettled)
    out.unsettled[region_of(ended)] = regions_of(unsettled, ended);
  return out;
}

store::DrainQuestion question_of(const std::string& body) {
  boost::system::error_code error;
  json::value value = json::parse(body, error);
  if (error) throw Misunderstood{"the body is not JSON"};
  const json::object& root = object_of(value, "the body");
  store::DrainQuestion out;
  out.source = region_of(text_of(root, "region"));
  out.start = StartId(number_of(root, "start"));
  out.time = conflict::Hlc{number_of(root, "time")};
  out.released = regions_of(root, "released");
  for (const auto& table : list_of(root, "tables"))
    out.tables.push_back(table_of(object_of(table, "a table")));
  return out;
}

}  // namespace

DrainPages::DrainPages(store::Store& store) : store_(store), reader_(store.open_reader()) {}

std::optional<http::Response> DrainPages::handle(const http::Request& request) {
  const Target target(request.target);
  bool asks = target.path == "/v1/barrier";
  if (!asks && target.path != "/v1/drained") return std::nullopt;
  if (request.method != "POST") return complain(405, "only POST is served here");
  try {
    return asks ? barrier(target) : drained(request);
  } catch (const Misunderstood& misunderstood) {
    return complain(400, misunderstood.what);
  } catch (const std::exception& failure) {
    return complain(500, failure.what());  // a damaged file, say
  }
}

http::Response DrainPages::barrier(const Target& target) {
  RegionId sink = region_of(target.value("sink"));
  std::string wanted = target.value("table");
  auto catalog = store_.catalog();
  if (!wanted.empty() && !catalog->find(wanted)) return complain(404, "no table named " + wanted);
  std::vector<TableId> shared;
  std::vector<TableId> asked;
  json::array not_shared;
  for (const auto& [name, table] : catalog->by_name) {
    if (!wanted.empty() && name != wanted) continue;
    if (table->has_replica(sink) && table->has_replica(store_.region())) {
      shared.push_back(table->id);
      asked.push_back(table->id);
    } else if (table->is_fenced(store_.region())) {
      asked.push_back(table->id);  // what it has acknowledged nobody may have
    } else {
      not_shared.emplace_back(name);
    }
  }
  // Before and after: a release may end, or begin, while the barrier is made.
  std::set<RegionId> released;
  note_released(released);
  auto made = std::make_shared<std::promise<std::optional<rpc::Barrier>>>();
  auto answered = made->get_future();
  store_.barrier(shared, [made](std::optional<rpc::Barrier> barrier) {
    made->set_value(std::move(barrier));
  });
  if (answered.wait_for(std::chrono::milliseconds(kBarrierMsMax)) != std::future_status::ready)
    return complain(503, "the writer is too busy to make a barrier");
  auto barrier = answered.get();
  if (!barrier) return complain(503, "no barrier can be made: see /readyz");

  note_released(released);
  auto question = store::drain_question(store_.region(), asked, *barrier, std::move(released),
                                        *reader_);
  auto now = store_.catalog();
  json::array beyond;
  for (const auto& origin : question.released) beyond.emplace_back(std::string(origin.name()));
  json::array tables;
  for (const auto& table : question.tables) {
    auto info = catalog->find(table.id);
    tables.push_back(table_json(table, info ? info->name : table.id.hex(),
                                reason_left_out(*now, store_.region(), table)));
  }
  return answer(200, {{"region", std::string(question.source.name())},
                      {"start", hex16(question.start.value)},
                      {"time", hex16(question.time.value)},
                      {"released", std::move(beyond)},
                      {"tables", std::move(tables)},
                      {"not_shared", std::move(not_shared)}});
}

void DrainPages::note_released(std::set<RegionId>& released) {
  for (const auto& [origin, until] : store_.clock_report().released) released.insert(origin);
}

http::Response DrainPages::drained(const http::Request& request) {
  auto question = question_of(request.body);
  auto catalog = store_.catalog();
  auto said = store::drain_answer(question, store_.region(), *catalog, *reader_);
  bool all = !said.tables.empty();
  json::array tables;
  for (const auto& table : said.tables) {
    auto info = catalog->find(table.id);
    json::array behind;
    for (const auto& origin : table.behind) behind.emplace_back(std::string(origin.name()));
    all = all && table.drained();
    tables.push_back(json::object{{"name", info ? info->name : ""},
                                  {"id", table.id.hex()},
                                  {"drained", table.drained()},
                                  {"member", table.member},
                                  {"whole", table.whole},
                                  {"reached", table.reached},
                                  {"parked", table.parked},
                                  {"behind", std::move(behind)}});
  }
  return answer(200, {{"region", std::string(store_.region().name())},
                      {"drained", all},
                      {"tables", std::move(tables)}});
}

}  // namespace meridian::admin
