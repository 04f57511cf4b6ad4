#include "region-node/admin/quarantine.h"

#include <boost/json/array.hpp>

#include <charconv>
#include <chrono>
#include <future>
#include <memory>
#include <optional>

#include "common/bytes.h"

namespace meridian::admin {
namespace json = boost::json;

namespace {

std::optional<std::int64_t> parse_number(const std::string& text, std::int64_t fallback) {
  if (text.empty()) return fallback;
  std::int64_t value = 0;
  const char* end = text.data() + text.size();
  auto [stop, error] = std::from_chars(text.data(), end, value);
  if (error != std::errc() || stop != end || value < 0) return std::nullopt;
  return value;
}

json::object describe(const store::TableInfo& table, const store::ParkedRecord& parked) {
  const rpc::ChangeRecord& record = parked.record;
  Bytes version = conflict::encode_version(record.version);
  json::object out{{"id", hex16(hash64(record.key + version))},
                   {"key", to_hex(record.key)},
                   {"key_json", readable_key(table.keys, record.key)},
                   {"version", conflict::to_text(record.version)},
                   {"version_hex", to_hex(version)},
                   {"source", std::string(parked.flow.source.name())},
                   {"shard", parked.flow.shard.value},
                   {"sequence", record.sequence.value},
                   {"committed_ms", record.committed_us / 1000},
                   {"delete", !record.new_image.has_value()},
                   {"reason", parked.reason}};
  if (record.new_image) {
    out["image_bytes"] = record.new_image->size();
    out["image_hex"] = to_hex(BytesView(*record.new_image).substr(0, kImageShownMax));
  }
  return out;
}

http::Response list(store::Reader& reader, const store::TableInfo& table, const Target& target) {
  auto after = parse_number(target.value("after"), 0);
  auto limit = parse_number(target.value("limit"), 100);
  if (!after) return complain(400, "after must be the \"next\" of a page before");
  if (!limit || *limit == 0 || *limit > static_cast<std::int64_t>(kParkedMax))
    return complain(400, "limit must be a number from 1 to " + std::to_string(kParkedMax));
  auto records = reader.parked(table.id, static_cast<std::size_t>(*limit), *after);
  json::array out;
  for (const auto& record : records) out.push_back(describe(table, record));
  json::value next = nullptr;
  if (static_cast<std::int64_t>(records.size()) == *limit) next = records.back().row;
  return answer(200, {{"table", table.name},
                      {"parked", reader.parked_stats(table.id).records},
                      {"records", std::move(out)},
                      {"next", next}});
}

http::Response tell(const store::ParkedOutcome& outcome) {
  using store::ParkedStatus;
  auto done = [&outcome](const char* status) {
    return answer(200, {{"status", status}, {"reason", outcome.reason}});
  };
  switch (outcome.status) {
    case ParkedStatus::applied: return done("applied");
    case ParkedStatus::beaten: return done("beaten");
    case ParkedStatus::still_parked: return done("still_parked");
    case ParkedStatus::held: return done("held");
    case ParkedStatus::discarded: return done("discarded");
    case ParkedStatus::no_such_record:
      return complain(404, "no such record is parked (a newer version may have retired it)");
    case ParkedStatus::no_such_table: return complain(404, "the table is gone");
    case ParkedStatus::unavailable: break;
  }
  return complain(503, "the store refuses writes at present; see /readyz");
}

http::Response decide(store::Store& store, const store::TableInfo& table, const Target& target,
                      store::ParkedAction action) {
  auto key = from_hex(target.value("key"));
  auto version_bytes = from_hex(target.value("version"));
  if (!key || key->empty()) return complain(400, "key must be the hexadecimal key of a record");
  auto version = version_bytes ? conflict::decode_version(*version_bytes) : std::nullopt;
  if (!version) return complain(400, "version must be the version_hex of a record");
  auto told = std::make_shared<std::promise<store::ParkedOutcome>>();
  auto outcome = told->get_future();
  store.decide_parked({table.id, *key, *version, action},
                      [told](const store::ParkedOutcome& done) { told->set_value(done); });
  if (outcome.wait_for(std::chrono::milliseconds(kDecisionMsMax)) != std::future_status::ready)
    return complain(503, "the writer is busy: look at the list for what became of it");
  return tell(outcome.get());
}

}  // namespace

http::Response serve_quarantine(store::Store& store, store::Reader& reader, const Target& target,
                                const std::string& method) {
  store::TablePtr table = store.catalog()->find(target.table);
  if (!table) return complain(404, "no table named " + target.table);
  if (method == "GET" && target.leaf == "quarantine") return list(reader, *table, target);
  if (method == "POST" && target.leaf == "quarantine/retry")
    return decide(store, *table, target, store::ParkedAction::retry);
  if (method == "POST" && target.leaf == "quarantine/discard")
    return decide(store, *table, target, store::ParkedAction::discard);
  return complain(405, "GET quarantine, POST quarantine/retry, POST quarantine/discard");
}

}  // namespace meridian::admin
