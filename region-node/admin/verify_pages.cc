#include "region-node/admin/verify_pages.h"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>

#include "conflict/resolver.h"
#include "conflict/version.h"
#include "region-node/model/image.h"
#include "region-node/repair/digest.h"

namespace meridian::admin {
namespace json = boost::json;

namespace {

// The question cannot be understood; the text says where.
struct Misunderstood {
  std::string what;
};

Bytes bytes_of(const json::value& value, const char* name) {
  auto bytes = value.is_string() ? from_hex(std::string_view(value.as_string())) : std::nullopt;
  if (!bytes) throw Misunderstood{std::string(name) + " must be hexadecimal"};
  return std::move(*bytes);
}

const json::value& member(const json::object& asked, const char* name) {
  if (const json::value* value = asked.if_contains(name)) return *value;
  throw Misunderstood{std::string(name) + " is missing"};
}

json::object parsed(const std::string& body) {
  boost::system::error_code error;
  json::value value = json::parse(body, error, {}, {.max_depth = 4});
  if (error || !value.is_object()) throw Misunderstood{"the body must be a JSON object"};
  return std::move(value.as_object());
}

rpc::KeySpan span_of(const json::object& asked) {
  rpc::KeySpan out;
  out.after = bytes_of(member(asked, "after"), "after");
  if (const json::value& to = member(asked, "to"); !to.is_null()) out.to = bytes_of(to, "to");
  return out;
}

conflict::Hlc horizon_of(const json::object& asked) {
  Bytes bytes = bytes_of(member(asked, "horizon"), "horizon");
  BytesView view = bytes;
  auto value = take_u64(view);
  if (!value || !view.empty()) throw Misunderstood{"horizon must be 16 hexadecimal digits"};
  return conflict::Hlc{*value};
}

std::vector<Bytes> keys_of(const json::object& asked) {
  const json::value& list = member(asked, "keys");
  if (!list.is_array() || list.as_array().size() > VerifyPages::kKeysMax)
    throw Misunderstood{"keys must be a list of at most " +
                        std::to_string(VerifyPages::kKeysMax) + " keys"};
  std::vector<Bytes> out;
  for (const auto& each : list.as_array()) out.push_back(bytes_of(each, "each of keys"));
  return out;
}

json::value hex_or_null(const std::optional<Bytes>& key) {
  return key ? json::value(to_hex(*key)) : json::value(nullptr);
}

}  // namespace

json::object describe_row(const model::KeySchema& schema, const store::Row& row) {
  return {{"key", to_hex(row.key)},
          {"key_json", readable_key(schema, row.key)},
          {"version", conflict::to_text(row.version)},
          {"version_hex", to_hex(conflict::encode_version(row.version))},
          {"tombstone", !row.image.has_value()},
          {"image_hash", hex16(row.image ? model::image_hash(*row.image) : 0)}};
}

VerifyPages::VerifyPages(store::Store& store) : store_(store), reader_(store.open_reader()) {}

std::optional<http::Response> VerifyPages::handle(const http::Request& request) {
  Target target(request.target);
  bool post = request.method == "POST";
  if (target.leaf == "rows" && !post) return std::nullopt;  // another page
  if (target.leaf != "rows" && target.leaf != "digest" && target.leaf != "heads")
    return std::nullopt;
  if (!post) return complain(405, "only POST asks for " + target.leaf);
  store::TablePtr table = store_.catalog()->find(target.table);
  if (!table) return complain(404, "no table named " + target.table);
  try {
    json::object asked = parsed(request.body);
    if (target.leaf == "rows") return rows(*table, asked);
    return target.leaf == "digest" ? digest(*table, asked) : heads(*table, asked);
  } catch (const Misunderstood& misunderstood) {
    return complain(400, misunderstood.what);
  }
}

std::string VerifyPages::collected(const store::TableInfo& table) {
  return hex16(reader_->collected(table.id).value);
}

http::Response VerifyPages::digest(const store::TableInfo& table, const json::object& asked) {
  auto page = repair::digest_span(
      *reader_, {table.id, span_of(asked), horizon_of(asked), kDigestRows, 1});
  // The one part is full, or reaches to the end of the span.
  const auto& part = page.parts.front();
  return answer(200, {{"to", hex_or_null(part.to)},
                      {"sum", hex16(part.digest.sum)},
                      {"items", part.digest.items},
                      {"tombstones", part.digest.tombstones},
                      {"collected", collected(table)}});
}

http::Response VerifyPages::heads(const store::TableInfo& table, const json::object& asked) {
  rpc::KeySpan span = span_of(asked);
  auto found = repair::heads_of(*reader_, table.id, {span}, horizon_of(asked), kDigestRows);
  std::optional<Bytes> to = found.covered_to ? found.covered_to : span.to;
  std::string rows;
  for (const auto& head : found.by_span.front()) {
    if (rows.size() >= kHeadsBytesMax) break;
    rows += to_hex(head.key) + ' ' + to_hex(conflict::encode_version(head.version)) + ' ' +
            hex16(head.image_hash);
    rows += head.image_hash == conflict::kTombstoneHash ? " t;" : " i;";
    if (rows.size() >= kHeadsBytesMax) to = head.key;
  }
  return answer(200,
                {{"rows", rows}, {"to", hex_or_null(to)}, {"collected", collected(table)}});
}

http::Response VerifyPages::rows(const store::TableInfo& table, const json::object& asked) {
  json::array out;
  for (const auto& key : keys_of(asked)) {
    auto row = reader_->get_row(table.id, key);
    out.push_back(row ? json::value(describe_row(table.keys, *row)) : json::value(nullptr));
  }
  return answer(200, {{"rows", std::move(out)}, {"collected", collected(table)}});
}

}  // namespace meridian::admin
