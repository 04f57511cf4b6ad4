#include "region-node/admin/conflict_pages.h"

#include <boost/json/array.hpp>

#include <charconv>

#include "region-node/admin/item_json.h"
#include "region-node/model/image.h"

namespace meridian::admin {
namespace json = boost::json;

namespace {

// What a query said wrongly; caught where the page is made.
struct BadQuery {
  std::string problem;
};

std::string percent_decoded(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    auto byte = text[i] == '%' ? from_hex(text.substr(i + 1, 2)) : std::nullopt;
    if (byte && byte->size() == 1) {
      out += *byte;
      i += 2;
    } else {
      out += text[i];
    }
  }
  return out;
}

std::optional<std::int64_t> number_of(const Target& target, std::string_view name,
                                      std::int64_t most) {
  std::string text = target.value(name);
  if (text.empty()) return std::nullopt;
  std::int64_t number = 0;
  const char* end = text.data() + text.size();
  auto [stop, error] = std::from_chars(text.data(), end, number);
  if (error != std::errc() || stop != end || number < 0 || number > most)
    throw BadQuery{std::string(name) + " must be a number from 0 to " + std::to_string(most)};
  return number;
}

std::optional<Bytes> hex_of(const Target& target, std::string_view name) {
  std::string text = target.value(name);
  if (text.empty()) return std::nullopt;
  auto bytes = from_hex(text);
  if (!bytes) throw BadQuery{std::string(name) + " must be hexadecimal"};
  return bytes;
}

std::optional<conflict::Version> version_of(const Target& target, std::string_view name) {
  auto bytes = hex_of(target, name);
  if (!bytes) return std::nullopt;
  auto version = conflict::decode_version(*bytes);
  if (!version) throw BadQuery{std::string(name) + " must be a version"};
  return version;
}

std::optional<Bytes> key_of(const Target& target, const model::KeySchema& schema) {
  if (auto key = hex_of(target, "key")) return key;
  std::string text = percent_decoded(target.value("key_json"));
  if (text.empty()) return std::nullopt;
  auto key = key_from_json(schema, text);
  if (!key) throw BadQuery{"key_json must be a key of the table in DynamoDB's form"};
  return key;
}

store::LedgerQuery query_of(const Target& target, const model::KeySchema& schema) {
  constexpr std::int64_t kMsMax = (std::int64_t{1} << 48) - 1;
  store::LedgerQuery query;
  query.key = key_of(target, schema);
  query.after_key = hex_of(target, "after_key").value_or(Bytes());
  query.after_version = version_of(target, "after_version");
  query.version = version_of(target, "version");
  if (auto from_ms = number_of(target, "from_ms", kMsMax))
    query.from = conflict::Hlc::at_ms(*from_ms);
  if (auto to_ms = number_of(target, "to_ms", kMsMax)) query.to = conflict::Hlc::at_ms(*to_ms);
  query.images = target.value("images") != "0";
  if (auto limit = number_of(target, "limit", store::kLedgerPageMax))
    query.entries_max = static_cast<std::size_t>(std::max<std::int64_t>(*limit, 1));
  return query;
}

json::object side(const store::ConflictingWrite& write, bool images) {
  json::object out = to_json(write.lineage);
  out["committed_us"] = write.committed_us;
  out["tombstone"] = write.removed;
  if (images) out["image"] = image_to_json(write.image);
  return out;
}

json::value row_of(const std::optional<store::Row>& row, bool image) {
  if (!row) return nullptr;
  json::object out = to_json(conflict::Lineage{row->version, row->context});
  out["tombstone"] = !row->image.has_value();
  out["image_hash"] = hex16(row->image ? model::image_hash(*row->image) : 0);
  if (image) out["image"] = image_to_json(row->image);
  return out;
}

json::array entries_of(store::Reader& reader, const store::TableInfo& table,
                       const store::LedgerPage& page, bool images) {
  json::array out;
  for (const auto& entry : page.entries) {
    out.push_back({{"key", to_hex(entry.key)},
                   {"key_json", readable_key(table.keys, entry.key)},
                   {"loser", side(entry.loser, images)},
                   {"winner", side(entry.winner, images)},
                   {"listed_us", entry.listed_us},
                   {"current", row_of(reader.get_row(table.id, entry.key), false)}});
  }
  return out;
}

json::array records_of(const store::KeyHistory& history) {
  json::array out;
  for (const auto& [record, local] : history.records) {
    json::object one = to_json(conflict::Lineage{record.version, record.context});
    one["sequence"] = record.sequence.value;
    one["parent"] = nullptr;
    if (record.parent) one["parent"] = conflict::to_text(*record.parent);
    one["applied_us"] = record.committed_us;
    one["local"] = local;
    one["in_stream"] = record.in_stream;
    one["image"] = image_to_json(record.new_image);
    out.push_back(std::move(one));
  }
  return out;
}

json::array parked_of(const std::vector<store::ParkedRecord>& records) {
  json::array out;
  for (const auto& [row, flow, record, reason] : records) {
    json::object one = to_json(conflict::Lineage{record.version, record.context});
    one["parent"] = nullptr;
    if (record.parent) one["parent"] = conflict::to_text(*record.parent);
    one["committed_us"] = record.committed_us;
    one["tombstone"] = !record.new_image.has_value();
    one["image"] = image_to_json(record.new_image);
    one["reason"] = reason;
    out.push_back(std::move(one));
  }
  return out;
}

json::object head(const store::Store& store, const store::TableInfo& table) {
  return {{"region", std::string(store.region().name())},
          {"table", table.name},
          {"id", table.id.hex()}};
}

template <typename Body>
http::Response page_of(store::Store& store, const Target& target, Body body) {
  store::TablePtr table = store.catalog()->find(target.table);
  if (!table) return complain(404, "no table named " + target.table);
  try {
    return answer(200, body(*table));
  } catch (const BadQuery& query) {
    return complain(400, query.problem);
  }
}

}  // namespace

http::Response conflicts_page(store::Store& store, store::Reader& reader, const Target& target) {
  return page_of(store, target, [&](const store::TableInfo& table) {
    store::LedgerQuery query = query_of(target, table.keys);
    store::LedgerPage page = reader.conflicts(table.id, query);
    store::LedgerSummary summary = reader.ledger(table.id);
    json::object out = head(store, table);
    out["listed"] = summary.entries;
    out["dropped"] = summary.dropped;
    out["complete_after"] = hex16(summary.complete_after.value);
    out["entries"] = entries_of(reader, table, page, query.images);
    out["more"] = page.more;
    return out;
  });
}

http::Response history_page(store::Store& store, store::Reader& reader, const Target& target) {
  return page_of(store, target, [&](const store::TableInfo& table) {
    auto key = key_of(target, table.keys);
    if (!key) throw BadQuery{"key or key_json must name a key"};
    store::LedgerQuery query;
    query.key = *key;
    store::LedgerPage page = reader.conflicts(table.id, query);
    store::KeyHistory history = reader.key_history(table.id, *key, store::kHistoryMax);
    json::object out = head(store, table);
    out["key"] = to_hex(*key);
    out["key_json"] = readable_key(table.keys, *key);
    out["current"] = row_of(reader.get_row(table.id, *key), true);
    out["records"] = records_of(history);
    out["complete"] = history.complete;
    out["parked"] = parked_of(reader.parked_of_key(table.id, *key, store::kHistoryMax));
    out["entries"] = entries_of(reader, table, page, true);
    out["complete_after"] = hex16(reader.ledger(table.id).complete_after.value);
    return out;
  });
}

}  // namespace meridian::admin
