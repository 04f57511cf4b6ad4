#include "region-node/admin/target.h"

#include <boost/json/serialize.hpp>

#include <algorithm>

namespace meridian::admin {
namespace json = boost::json;

Target::Target(std::string_view target) {
  std::size_t mark = target.find('?');
  path = target.substr(0, mark);
  constexpr std::string_view kTables = "/v1/tables/";
  if (path.starts_with(kTables)) {
    std::size_t slash = path.find('/', kTables.size());
    table = path.substr(kTables.size(), slash - kTables.size());
    if (slash != std::string::npos) leaf = path.substr(slash + 1);
  }
  while (mark != std::string_view::npos) {
    std::size_t start = mark + 1;
    mark = target.find('&', start);
    std::string_view pair = target.substr(start, mark - start);
    std::size_t equals = std::min(pair.find('='), pair.size());
    query.emplace(pair.substr(0, equals), pair.substr(std::min(equals + 1, pair.size())));
  }
}

std::string Target::value(std::string_view name) const {
  auto at = query.find(name);
  return at == query.end() ? std::string() : at->second;
}

http::Response answer(int status, const json::object& body) {
  return {.status = status,
          .content_type = "application/json",
          .headers = {},
          .body = json::serialize(body)};
}

http::Response complain(int status, std::string problem) {
  return answer(status, {{"error", std::move(problem)}});
}

std::string hex16(std::uint64_t value) {
  Bytes bytes;
  put_u64(bytes, value);
  return to_hex(bytes);
}

json::object readable_key(const model::KeySchema& schema, BytesView key) {
  json::object out;
  auto item = model::decode_key(schema, key);
  if (!item) return out;
  for (const auto& [name, value] : *item) {
    std::string text;
    if (const auto* string = value.as<model::StringValue>()) text = string->text;
    if (const auto* number = value.as<model::NumberValue>()) text = number->text;
    if (const auto* binary = value.as<model::BinaryValue>()) text = to_base64(binary->bytes);
    out[name] = json::object{{model::type_name(value.type()), text}};
  }
  return out;
}

}  // namespace meridian::admin
