#include "region-node/api/json_in.h"

#include <array>
#include <boost/json/monotonic_resource.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>
#include <cmath>
#include <string>

namespace meridian::api {
namespace {

namespace json = boost::json;

constexpr std::size_t kInlineBytes = 8 * 1024;  // parses most requests without an allocation

const json::value* unless_null(const json::value& value) {
  return value.is_null() ? nullptr : &value;
}

// What AWS says of a value where a scalar of `wanted` (a Java class) should be.
void report_scalar(const json::value& value, std::string_view wanted, Problems& problems) {
  std::string found;
  switch (value.kind()) {
    case json::kind::object:
      problems.report(
          ApiError::serialization("Start of structure or map found where not expected."));
      return;
    case json::kind::array:
      problems.report(ApiError::serialization("Unrecognized collection type class java.lang." +
                                              std::string(wanted)));
      return;
    case json::kind::string: found = "STRING_VALUE"; break;
    case json::kind::bool_: found = value.get_bool() ? "TRUE_VALUE" : "FALSE_VALUE"; break;
    case json::kind::double_: found = "DECIMAL_VALUE"; break;
    default: found = "NUMBER_VALUE"; break;
  }
  problems.report(
      ApiError::serialization(found + " cannot be converted to " + std::string(wanted)));
}

void report_structure(const json::value& value, Problems& problems) {
  bool structure = value.is_object() || value.is_array();
  problems.report(ApiError::serialization(
      structure ? (value.is_object() ? "Start of structure or map found where not expected."
                                     : "Start of list found where not expected")
                : "Unexpected field type"));
}

}  // namespace

std::optional<std::string_view> JsonValue::text(Problems& problems) const {
  if (!value_) return std::nullopt;
  if (const auto* text = value_->if_string()) return std::string_view(text->data(), text->size());
  report_scalar(*value_, "String", problems);
  return std::nullopt;
}

std::optional<bool> JsonValue::boolean(Problems& problems) const {
  if (!value_) return std::nullopt;
  if (const bool* flag = value_->if_bool()) return *flag;
  report_scalar(*value_, "Boolean", problems);
  return std::nullopt;
}

std::optional<std::int64_t> JsonValue::integer(Problems& problems) const {
  if (!value_) return std::nullopt;
  if (const auto* number = value_->if_int64()) return *number;
  if (const auto* number = value_->if_double(); number && std::abs(*number) < 9e15)
    return static_cast<std::int64_t>(*number);
  report_scalar(*value_, "Integer", problems);
  return std::nullopt;
}

std::optional<JsonObject> JsonValue::object(Problems& problems) const {
  if (!value_) return std::nullopt;
  if (const auto* object = value_->if_object()) return JsonObject(object);
  report_structure(*value_, problems);
  return std::nullopt;
}

std::optional<JsonArray> JsonValue::array(Problems& problems) const {
  if (!value_) return std::nullopt;
  if (const auto* array = value_->if_array()) return JsonArray(array);
  report_structure(*value_, problems);
  return std::nullopt;
}

JsonValue JsonObject::get(std::string_view name) const {
  const auto* found = object_->if_contains({name.data(), name.size()});
  return JsonValue(found ? unless_null(*found) : nullptr);
}

std::size_t JsonObject::size() const { return object_->size(); }

std::string_view JsonObject::name_at(std::size_t index) const {
  auto name = (object_->begin() + static_cast<std::ptrdiff_t>(index))->key();
  return {name.data(), name.size()};
}

JsonValue JsonObject::value_at(std::size_t index) const {
  return JsonValue(unless_null((object_->begin() + static_cast<std::ptrdiff_t>(index))->value()));
}

std::size_t JsonArray::size() const { return array_->size(); }

JsonValue JsonArray::at(std::size_t index) const {
  return JsonValue(unless_null((*array_)[index]));
}

struct Document::State {
  State() : memory(buffer.data(), buffer.size()) {}
  std::array<unsigned char, kInlineBytes> buffer;
  json::monotonic_resource memory;
  json::value root;
};

Document::Document() : state_(std::make_unique_for_overwrite<State>()) {}
Document::~Document() = default;

std::optional<JsonObject> Document::parse(std::string_view body) {
  json::parse_options options;
  options.max_depth = kJsonDepthMax;
  json::error_code failure;
  // Placed anew, because assigning would copy into the value's own default memory.
  state_->root.~value();
  new (&state_->root)
      json::value(json::parse({body.data(), body.size()}, failure, &state_->memory, options));
  if (failure || !state_->root.is_object()) return std::nullopt;
  return JsonObject(&state_->root.get_object());
}

}  // namespace meridian::api
