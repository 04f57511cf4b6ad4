#include "tools/meridian/verify_repair.h"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

#include <algorithm>
#include <map>
#include <memory>

#include "common/clock.h"
#include "tools/meridian/client.h"
#include "tools/meridian/commands.h"

namespace meridian::cli {
namespace json = boost::json;

namespace {

constexpr std::int64_t kLookPauseMs = 250;
constexpr std::int64_t kCallMsMax = 10'000;

struct Pair {
  PairRepair report;
  AdminClient* client;
  std::uint64_t before = 0;  // repairs finished when it was asked
};

// What the region says of its repairs of the table with the peer; null if it has not begun to know it.
const json::object* find(const json::object& page, const std::string& table,
                         const std::string& peer) {
  for (const auto& each : page.at("repairs").as_array()) {
    const json::object& repair = each.as_object();
    if (text_at(repair, "table") == table && text_at(repair, "peer") == peer) return &repair;
  }
  return nullptr;
}

std::uint64_t number_at(const json::object& object, std::string_view name) {
  return object.at(name).to_number<std::uint64_t>();
}

void look(Pair& pair, const std::string& table) {
  auto page = expect_object(pair.report.region, fetch(*pair.client, "/v1/repairs"));
  const json::object* repair = find(page, table, pair.report.peer);
  if (repair == nullptr) return;
  pair.report.problem = text_at(*repair, "problem");
  pair.report.done =
      number_at(*repair, "repairs") > pair.before && text_at(*repair, "needed").empty();
  if (!pair.report.done) return;
  const json::object& last = repair->at("last").as_object();
  pair.report.rows = number_at(last, "rows");
  pair.report.bytes = number_at(last, "bytes");
  pair.report.took_ms = last.at("ms").to_number<std::int64_t>();
}

}  // namespace

std::vector<PairRepair> repair_pairs(const std::vector<Endpoints>& regions,
                                     const std::string& table, std::int64_t wait_ms) {
  std::vector<std::unique_ptr<AdminClient>> clients;
  std::vector<Pair> pairs;
  for (std::size_t i = 0; i + 1 < regions.size(); ++i) {
    clients.push_back(std::make_unique<AdminClient>(regions[i].admin, kCallMsMax));
    auto page = expect_object(regions[i].name, fetch(*clients.back(), "/v1/repairs"));
    for (std::size_t j = i + 1; j < regions.size(); ++j) {
      Pair pair{{regions[i].name, regions[j].name, false, "", 0, 0, 0}, clients.back().get()};
      if (const auto* repair = find(page, table, pair.report.peer))
        pair.before = number_at(*repair, "repairs");
      std::string target = "/v1/tables/" + table + "/repair?peer=" + pair.report.peer;
      expect_object(regions[i].name, post(*clients.back(), target));
      pairs.push_back(std::move(pair));
    }
  }
  SystemClock clock;
  std::int64_t deadline_ms = clock.monotonic_ms() + wait_ms;
  auto all_done = [&pairs] {
    return std::all_of(pairs.begin(), pairs.end(), [](const Pair& p) { return p.report.done; });
  };
  while (!all_done() && clock.monotonic_ms() < deadline_ms) {
    pause_ms(kLookPauseMs);
    for (auto& pair : pairs)
      if (!pair.report.done) look(pair, table);
  }
  std::vector<PairRepair> out;
  for (auto& pair : pairs) out.push_back(std::move(pair.report));
  return out;
}

}  // namespace meridian::cli
