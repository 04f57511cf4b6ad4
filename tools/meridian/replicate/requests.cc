#include "tools/meridian/replicate/requests.h"

#include <fmt/format.h>

#include <boost/json/array.hpp>

#include <algorithm>
#include <charconv>

#include "common/bytes.h"
#include "common/rng.h"
#include "tools/meridian/client.h"

namespace meridian::replicate {
namespace json = boost::json;

namespace {

constexpr const char* kNumber = "bench_write";
constexpr const char* kPayload = "bench_payload";
constexpr const char* kUpdates = "bench_updates";
// Beyond every other key's.
constexpr std::uint64_t kFirstSample = 500'000'000'000;
constexpr std::size_t kPoolBytes = 1 << 16;

json::object text(const std::string& value) { return {{"S", value}}; }

std::string random_text(std::uint64_t seed, std::size_t size) {
  Rng rng(seed);
  Bytes bytes;
  while (bytes.size() < size) put_u64(bytes, rng.next());
  return to_base64(bytes).substr(0, size);
}

// As DynamoDB counts it, but for numbers, of which a digit or two may be missing.
std::size_t size_of(const json::object& item) {
  std::size_t size = 0;
  for (const auto& [name, value] : item) {
    const auto& [type, content] = *value.as_object().begin();
    std::size_t letters = content.as_string().size();
    size += name.size() + (type == "N" ? letters / 2 + 1 : type == "B" ? letters * 3 / 4 : letters);
  }
  return size;
}

}  // namespace

Requests::Requests(const json::object& table, std::string run, std::size_t item_bytes,
                   std::uint64_t seed)
    : table_(cli::text_at(table, "TableName")),
      run_(std::move(run)),
      item_bytes_(item_bytes),
      pool_(random_text(seed, kPoolBytes + item_bytes)) {
  for (const auto& part : table.at("KeySchema").as_array()) {
    std::string name = cli::text_at(part.as_object(), "AttributeName");
    if (name == kNumber || name == kPayload || name == kUpdates)
      throw cli::UsageError(table_ + " has a key named " + name + ", which the load writes itself");
    for (const auto& one : table.at("AttributeDefinitions").as_array())
      if (cli::text_at(one.as_object(), "AttributeName") == name)
        keys_.push_back({name, cli::text_at(one.as_object(), "AttributeType")});
  }
}

json::object Requests::key(std::uint64_t id) const {
  json::object out;
  for (const auto& attribute : keys_) {
    std::string value = "bench-" + run_ + "-" + std::to_string(id);
    if (attribute.type == "N") value = fmt::format("{}{:012}", run_, id);
    if (attribute.type == "B") value = to_base64(value);
    out[attribute.name] = json::object{{attribute.type, value}};
  }
  return out;
}

std::string Requests::payload(std::uint64_t number, const json::object& item) const {
  std::size_t rest = size_of(item) + std::string_view(kPayload).size();
  std::size_t size = item_bytes_ > rest ? item_bytes_ - rest : 0;
  return pool_.substr(number * 7919 % kPoolBytes, size);
}

json::object Requests::put(std::uint64_t number, std::uint64_t id) const {
  json::object item = key(id);
  item[kNumber] = text(std::to_string(number));
  item[kPayload] = text(payload(number, item));
  return {{"TableName", table_}, {"Item", std::move(item)}};
}

Request Requests::write(std::uint64_t number, const Workload::Write& write) const {
  if (write.kind == Kind::put) return {"PutItem", put(number, write.key)};
  json::object body{{"TableName", table_}, {"Key", key(write.key)}};
  if (write.kind == Kind::remove) return {"DeleteItem", std::move(body)};
  json::object item = key(write.key);
  item[kNumber] = text(std::to_string(number));
  body["UpdateExpression"] = fmt::format("SET {} = :write, {} = :payload ADD {} :one", kNumber,
                                         kPayload, kUpdates);
  body["ExpressionAttributeValues"] =
      json::object{{":write", text(std::to_string(number))},
                   {":payload", text(payload(number, item))},
                   {":one", json::object{{"N", "1"}}}};
  return {"UpdateItem", std::move(body)};
}

Request Requests::sample(std::uint64_t number) const {
  return {"PutItem", put(number, kFirstSample + number)};
}

json::object Requests::look(const std::vector<Sample>& samples) const {
  json::array keys;
  for (const auto& sample : samples) keys.push_back(key(kFirstSample + sample.number));
  json::object of_table{{"Keys", std::move(keys)}, {"ProjectionExpression", kNumber}};
  return {{"RequestItems", json::object{{table_, std::move(of_table)}}}};
}

std::vector<std::uint64_t> Requests::seen(const json::object& answer) const {
  std::vector<std::uint64_t> out;
  const json::value* tables = answer.if_contains("Responses");
  if (tables == nullptr || !tables->is_object()) return out;
  const json::value* items = tables->as_object().if_contains(table_);
  if (items == nullptr || !items->is_array()) return out;
  for (const auto& item : items->as_array()) {
    const json::value* number = item.as_object().if_contains(kNumber);
    if (number == nullptr) continue;
    std::string digits = cli::text_at(number->as_object(), "S");
    std::uint64_t value = 0;
    auto parsed = std::from_chars(digits.data(), digits.data() + digits.size(), value);
    if (parsed.ec == std::errc{}) out.push_back(value);
  }
  return out;
}

}  // namespace meridian::replicate
