#include "region-node/api/wire_json.h"

#include <algorithm>
#include <array>

#include "common/bytes.h"
#include "region-node/api/json_out.h"
#include "region-node/expr/placeholders.h"
#include "region-node/model/number.h"

namespace meridian::api {
namespace {

using model::AttributeList;
using model::AttributeMap;
using model::AttributeValue;

constexpr std::string_view kInvalid = "One or more parameter values were invalid: ";

void report_invalid(Problems& problems, std::string_view what) {
  problems.report(ApiError::validation(std::string(kInvalid).append(what)));
}

std::optional<AttributeValue> read_nested(JsonValue json, std::size_t depth, Problems& problems);

std::optional<std::string> read_number(std::string_view text, Problems& problems) {
  auto canonical = model::canonical_number(text);
  if (canonical) return std::move(*canonical);
  problems.report(ApiError::validation(canonical.error()));
  return std::nullopt;
}

std::optional<Bytes> read_binary(std::string_view text, Problems& problems) {
  auto bytes = from_base64(text);
  if (!bytes) {
    problems.report(ApiError::serialization(
        text.size() % 4 != 0
            ? "Base64 encoded length is expected a multiple of 4 bytes but found: " +
                  std::to_string(text.size())
            : "Invalid base64 encoding"));
  }
  return bytes;
}

std::optional<std::vector<std::string>> read_texts(JsonValue json, Problems& problems) {
  auto array = json.array(problems);
  if (!array) return std::nullopt;
  std::vector<std::string> out;
  out.reserve(array->size());
  for (std::size_t i = 0; i < array->size(); ++i) {
    auto text = array->at(i).text(problems);
    if (!text && !problems.any()) report_invalid(problems, "A set may not contain a null value");
    if (!text) return std::nullopt;
    out.emplace_back(*text);
  }
  return out;
}

std::string listed(const std::vector<std::string>& texts) {
  std::string out = "[";
  for (const auto& text : texts) {
    if (out.size() > 1) out += ", ";
    out += text;
  }
  return out += ']';
}

bool has_neighbours(const std::vector<std::string>& sorted) {
  return std::adjacent_find(sorted.begin(), sorted.end()) != sorted.end();
}

std::optional<AttributeValue> read_string_set(JsonValue json, Problems& problems) {
  auto texts = read_texts(json, problems);
  if (!texts) return std::nullopt;
  if (texts->empty()) {
    report_invalid(problems, "An string set  may not be empty");
    return std::nullopt;
  }
  for (const auto& text : *texts)
    if (text.empty()) {
      report_invalid(problems, "An string set may not have a empty string as a member");
      return std::nullopt;
    }
  auto sorted = *texts;
  std::sort(sorted.begin(), sorted.end());
  if (has_neighbours(sorted)) {
    report_invalid(problems, "Input collection " + listed(*texts) + " contains duplicates.");
    return std::nullopt;
  }
  return AttributeValue(model::StringSet{std::move(sorted)});
}

std::optional<AttributeValue> read_number_set(JsonValue json, Problems& problems) {
  auto texts = read_texts(json, problems);
  if (!texts) return std::nullopt;
  if (texts->empty()) {
    report_invalid(problems, "An number set  may not be empty");
    return std::nullopt;
  }
  for (auto& text : *texts) {
    auto number = read_number(text, problems);
    if (!number) return std::nullopt;
    text = std::move(*number);
  }
  std::sort(texts->begin(), texts->end(), [](const auto& a, const auto& b) {
    return model::compare_numbers(a, b) == std::strong_ordering::less;
  });
  if (has_neighbours(*texts)) {
    problems.report(ApiError::validation("Input collection contains duplicates"));
    return std::nullopt;
  }
  return AttributeValue(model::NumberSet{std::move(*texts)});
}

std::optional<AttributeValue> read_binary_set(JsonValue json, Problems& problems) {
  auto texts = read_texts(json, problems);
  if (!texts) return std::nullopt;
  if (texts->empty()) {
    report_invalid(problems, "Binary sets should not be empty");
    return std::nullopt;
  }
  std::vector<std::string> sorted;
  for (const auto& text : *texts) {
    auto bytes = read_binary(text, problems);
    if (!bytes) return std::nullopt;
    if (bytes->empty()) {
      report_invalid(problems, "Binary sets may not contain an empty string as a member");
      return std::nullopt;
    }
    sorted.push_back(std::move(*bytes));
  }
  std::sort(sorted.begin(), sorted.end());
  if (has_neighbours(sorted)) {
    report_invalid(problems,
                   "Input collection " + listed(*texts) + "of type BS contains duplicates.");
    return std::nullopt;
  }
  return AttributeValue(model::BinarySet{std::move(sorted)});
}

void report_nesting(Problems& problems) {
  problems.report(ApiError::validation(
      "Nesting Levels have exceeded supported limits: Attributes in the item have nested levels "
      "beyond supported limit"));
}

std::optional<AttributeMap> read_members(JsonValue json, std::size_t depth, Problems& problems) {
  auto object = json.object(problems);
  if (!object) return std::nullopt;
  AttributeMap out;
  for (std::size_t i = 0; i < object->size(); ++i) {
    auto name = object->name_at(i);
    if (!name_fits(name, problems)) return std::nullopt;
    auto value = read_nested(object->value_at(i), depth, problems);
    if (!value) return std::nullopt;
    out.emplace(name, std::move(*value));
  }
  return out;
}

std::optional<AttributeValue> read_list(JsonValue json, std::size_t depth, Problems& problems) {
  auto array = json.array(problems);
  if (!array) return std::nullopt;
  AttributeList out;
  out.reserve(array->size());
  for (std::size_t i = 0; i < array->size(); ++i) {
    auto value = read_nested(array->at(i), depth, problems);
    if (!value) return std::nullopt;
    out.push_back(std::move(*value));
  }
  return AttributeValue(std::move(out));
}

std::optional<AttributeValue> read_null(JsonValue json, Problems& problems) {
  auto flag = json.boolean(problems);
  if (!flag) return std::nullopt;
  if (*flag) return AttributeValue(model::NullValue{});
  report_invalid(problems, "Null attribute value types must have the value of true");
  return std::nullopt;
}

std::optional<AttributeValue> read_scalar(std::string_view type, JsonValue json,
                                          Problems& problems) {
  if (type == "BOOL") {
    auto flag = json.boolean(problems);
    return flag ? std::optional(AttributeValue(*flag)) : std::nullopt;
  }
  if (type == "NULL") return read_null(json, problems);
  auto text = json.text(problems);
  if (!text) return std::nullopt;
  if (type == "S") return AttributeValue(model::StringValue{std::string(*text)});
  if (type == "N") {
    auto number = read_number(*text, problems);
    if (!number) return std::nullopt;
    return AttributeValue(model::NumberValue{std::move(*number)});
  }
  auto bytes = read_binary(*text, problems);
  if (!bytes) return std::nullopt;
  return AttributeValue(model::BinaryValue{std::move(*bytes)});
}

bool is_type(std::string_view name) {
  static constexpr std::array<std::string_view, 10> kTypes{"S", "N", "B",  "BOOL", "NULL",
                                                           "M", "L", "SS", "NS",   "BS"};
  return std::find(kTypes.begin(), kTypes.end(), name) != kTypes.end();
}

// `depth`: containers around this value.
std::optional<AttributeValue> read_nested(JsonValue json, std::size_t depth, Problems& problems) {
  static constexpr const char* kEmpty =
      "Supplied AttributeValue is empty, must contain exactly one of the supported datatypes";
  if (!json.present()) {
    problems.report(ApiError::validation(kEmpty));
    return std::nullopt;
  }
  auto object = json.object(problems);
  if (!object) return std::nullopt;
  std::string_view type;
  JsonValue content;
  for (std::size_t i = 0; i < object->size(); ++i) {
    auto candidate = object->value_at(i);
    if (!candidate.present() || !is_type(object->name_at(i))) continue;
    if (content.present()) {
      problems.report(ApiError::validation(
          "Supplied AttributeValue has more than one datatypes set, must contain exactly one of "
          "the supported datatypes"));
      return std::nullopt;
    }
    type = object->name_at(i);
    content = candidate;
  }
  if (!content.present()) {
    problems.report(ApiError::validation(kEmpty));
    return std::nullopt;
  }
  if (type == "SS") return read_string_set(content, problems);
  if (type == "NS") return read_number_set(content, problems);
  if (type == "BS") return read_binary_set(content, problems);
  if (type != "M" && type != "L") return read_scalar(type, content, problems);
  if (depth >= model::kNestingMax) {
    report_nesting(problems);
    return std::nullopt;
  }
  if (type == "L") return read_list(content, depth + 1, problems);
  auto members = read_members(content, depth + 1, problems);
  if (!members) return std::nullopt;
  return AttributeValue(std::move(*members));
}

void append_binary(std::string& out, BytesView bytes) {
  out += '"';
  out += to_base64(bytes);
  out += '"';
}

template <typename Values, typename Append>
void append_array(std::string& out, const Values& values, Append append) {
  out += '[';
  bool first = true;
  for (const auto& value : values) {
    if (!first) out += ',';
    first = false;
    append(out, value);
  }
  out += ']';
}

struct Appender {
  std::string& out;
  void operator()(const model::StringValue& value) const { append_string(out, value.text); }
  void operator()(const model::NumberValue& value) const { append_string(out, value.text); }
  void operator()(const model::BinaryValue& value) const { append_binary(out, value.bytes); }
  void operator()(bool value) const { out += value ? "true" : "false"; }
  void operator()(const model::NullValue&) const { out += "true"; }
  void operator()(const AttributeMap& value) const { append_map(out, value); }
  void operator()(const AttributeList& value) const { append_array(out, value, append_value); }
  void operator()(const model::StringSet& set) const {
    append_array(out, set.values, append_string);
  }
  void operator()(const model::NumberSet& set) const {
    append_array(out, set.values, append_string);
  }
  void operator()(const model::BinarySet& set) const {
    append_array(out, set.values, append_binary);
  }
};

}  // namespace

bool name_fits(std::string_view name, Problems& problems) {
  const char* mistake = expr::mistake_in_name(name);
  if (mistake != nullptr) report_invalid(problems, mistake);
  return mistake == nullptr;
}

std::optional<AttributeValue> read_value(JsonValue json, Problems& problems) {
  if (!json.present()) return std::nullopt;
  return read_nested(json, 0, problems);
}

std::optional<AttributeValue> read_required_value(JsonValue json, Problems& problems) {
  return read_nested(json, 0, problems);
}

std::optional<AttributeMap> read_map(JsonValue json, Problems& problems) {
  if (!json.present()) return std::nullopt;
  return read_members(json, 0, problems);
}

void append_value(std::string& out, const AttributeValue& value) {
  out += "{\"";
  out += model::type_name(value.type());
  out += "\":";
  std::visit(Appender{out}, value.variant());
  out += '}';
}

void append_map(std::string& out, const AttributeMap& map) {
  out += '{';
  bool first = true;
  for (const auto& [name, value] : map) {
    if (!first) out += ',';
    first = false;
    append_string(out, name);
    out += ':';
    append_value(out, value);
  }
  out += '}';
}

}  // namespace meridian::api
