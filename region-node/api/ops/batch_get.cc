#include <set>

#include "region-node/api/capacity.h"
#include "region-node/api/constraints.h"
#include "region-node/api/json_out.h"
#include "region-node/api/ops/ops.h"
#include "region-node/api/request.h"
#include "region-node/api/wire_json.h"
#include "region-node/model/image.h"
#include "region-node/model/item_size.h"
#include "region-node/model/key.h"

namespace meridian::api::ops {
namespace {

constexpr std::size_t kKeysMax = 100;
constexpr std::size_t kBytesMax = 16 * 1024 * 1024;

// The part of a request that names one table.
struct TableGet {
  std::string given_name;  // as the client wrote it, for the answer
  store::TablePtr table;
  JsonObject json;  // to repeat it in UnprocessedKeys
  Consistency consistency = Consistency::eventual;
  std::optional<expr::Projection> projection;
  std::vector<model::Item> key_items;
  std::vector<Bytes> keys;
  std::size_t next = 0;  // first key not yet read
};

void read_keys(const JsonObject& json, TableGet& out, Problems& problems) {
  auto keys = json.get("Keys").array(problems);
  Constraints constraints;
  std::string member = "RequestItems." + out.given_name + ".member.Keys";
  constraints.required(json.get("Keys").present(), member);
  if (keys && keys->size() == 0)
    constraints.fail_unvalued(member, "have length greater than or equal to 1");
  if (keys && keys->size() > kKeysMax)
    constraints.fail_unvalued(member, "have length less than or equal to 100");
  constraints.finish(problems);
  for (std::size_t i = 0; keys && i < keys->size() && !problems.any(); ++i) {
    auto key = read_map(keys->at(i), problems);
    if (key) out.key_items.push_back(std::move(*key));
  }
}

void encode_keys(TableGet& out, Problems& problems) {
  std::set<Bytes> seen;
  for (const auto& item : out.key_items) {
    auto key = valid(model::encode_exact_key(out.table->keys, item), problems);
    if (!key) return;
    if (!seen.insert(*key).second) {
      problems.report(ApiError::validation("Provided list of item keys contains duplicates"));
    }
    out.keys.push_back(std::move(*key));
  }
}

std::optional<TableGet> read_table_get(const Call& call, std::string_view name, JsonObject json,
                                       Problems& problems) {
  TableGet out{std::string(name), nullptr, json, {}, {}, {}, {}, 0};
  auto plain = plain_table_name(call.services, name, problems);
  read_keys(json, out, problems);
  if (json.get("ConsistentRead").boolean(problems).value_or(false))
    out.consistency = Consistency::strong;
  refuse_mixture(json, {"AttributesToGet"}, {"ProjectionExpression"}, problems);
  ExpressionInput expressions(json, {"ProjectionExpression"}, problems);
  out.projection = read_projection(json, expressions, problems);
  expressions.check_all_used(problems);
  if (problems.any()) return std::nullopt;
  auto table = find_table(call.services, plain);
  if (!table) {
    problems.report(std::move(table.error()));
    return std::nullopt;
  }
  out.table = std::move(*table);
  encode_keys(out, problems);
  return out;
}

std::vector<TableGet> read_request(const Call& call, Problems& problems) {
  std::vector<TableGet> out;
  auto items = call.input.get("RequestItems").object(problems);
  Constraints constraints;
  if (!items || items->size() == 0) {
    problems.report(
        ApiError::validation("The requestItems parameter is required for BatchGetItem"));
  }
  auto capacity = call.input.get("ReturnConsumedCapacity").text(problems);
  constraints.one_of(capacity, "returnConsumedCapacity", {"INDEXES", "TOTAL", "NONE"});
  constraints.finish(problems);
  std::size_t keys = 0;
  for (std::size_t i = 0; items && i < items->size() && !problems.any(); ++i) {
    auto json = items->value_at(i).object(problems);
    if (!json) {
      problems.report(ApiError::validation("A table of RequestItems must not be null"));
      break;
    }
    auto part = read_table_get(call, items->name_at(i), *json, problems);
    if (!part) break;
    keys += part->keys.size();
    out.push_back(std::move(*part));
  }
  if (keys > kKeysMax)
    problems.report(ApiError::validation("Too many items requested for the BatchGetItem call"));
  return out;
}

// Reads the keys of one table until the answer is full.
class BatchReader {
 public:
  explicit BatchReader(store::Reader& reader) : reader_(reader) {}

  // Appends a list of items.  False when a stored item cannot be read.
  bool read(TableGet& part, std::string& out) {
    out += '[';
    bool first = true;
    for (; part.next < part.keys.size() && bytes_ < kBytesMax; ++part.next) {
      auto image = reader_.get(part.table->id, part.keys[part.next]);
      auto item = image ? model::decode_image(*image) : std::nullopt;
      if (image && !item) return false;
      std::size_t size = item ? model::item_size(*item) : 0;
      if (bytes_ > 0 && bytes_ + size > kBytesMax) {
        bytes_ = kBytesMax;
        break;
      }
      bytes_ += size;
      units_[part.table->name] += read_units(size, part.consistency);
      if (!item) continue;
      if (!first) out += ',';
      first = false;
      append_map(out, part.projection ? part.projection->apply(*item) : *item);
    }
    out += ']';
    return true;
  }

  [[nodiscard]] const std::map<std::string, double>& units() const { return units_; }

 private:
  store::Reader& reader_;
  std::size_t bytes_ = 0;
  std::map<std::string, double> units_;
};

// The same request again, for the keys that did not fit.
void append_unprocessed(std::string& out, const TableGet& part) {
  Problems ignored;
  JsonMembers members(out);
  auto& keys = members.name("Keys");
  keys += '[';
  for (std::size_t i = part.next; i < part.key_items.size(); ++i) {
    if (i > part.next) keys += ',';
    append_map(keys, part.key_items[i]);
  }
  keys += ']';
  if (part.consistency == Consistency::strong) members.boolean("ConsistentRead", true);
  if (auto text = part.json.get("ProjectionExpression").text(ignored))
    members.text("ProjectionExpression", *text);
  if (auto names = part.json.get("ExpressionAttributeNames").object(ignored)) {
    JsonMembers inner(members.name("ExpressionAttributeNames"));
    for (std::size_t i = 0; i < names->size(); ++i) {
      std::string name;
      append_string(name, names->name_at(i));
      inner.text(std::string_view(name).substr(1, name.size() - 2),
                 names->value_at(i).text(ignored).value_or(""));
    }
    inner.end();
  }
  if (auto attributes = part.json.get("AttributesToGet").array(ignored)) {
    auto& list = members.name("AttributesToGet");
    list += '[';
    for (std::size_t i = 0; i < attributes->size(); ++i) {
      if (i > 0) list += ',';
      append_string(list, attributes->at(i).text(ignored).value_or(""));
    }
    list += ']';
  }
  members.end();
}

}  // namespace

Answer batch_get_item(const Call& call) {
  Problems problems;
  auto parts = read_request(call, problems);
  if (problems.any()) return Err(problems.take());

  auto loan = call.services.readers.borrow();
  BatchReader reader(*loan);
  std::string out;
  JsonMembers members(out);
  JsonMembers responses(members.name("Responses"));
  for (auto& part : parts) {
    if (!reader.read(part, responses.name(part.given_name)))
      return Err(ApiError::internal("A stored item cannot be read"));
  }
  responses.end();
  JsonMembers unprocessed(members.name("UnprocessedKeys"));
  for (const auto& part : parts)
    if (part.next < part.keys.size()) append_unprocessed(unprocessed.name(part.given_name), part);
  unprocessed.end();
  auto detail = parse_capacity_detail(call.input.get("ReturnConsumedCapacity").text(problems));
  if (detail != CapacityDetail::none)
    append_capacities(members.name("ConsumedCapacity"), reader.units(), detail);
  members.end();
  return out;
}

}  // namespace meridian::api::ops
