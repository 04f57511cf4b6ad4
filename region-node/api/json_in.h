// Reading the JSON of a request: a parsed document, and views of its parts that know AWS's answers to
// JSON of the wrong shape.  Boost.JSON stays in json_in.cc.
//
// A member that is absent and one that is null are the same to DynamoDB, and read as empty here.
// Problems keeps the first thing that is wrong, so that a reader can take all its members and ask once.
// Threads: one owner.  Views point into their Document.
// Errors: SerializationException, into Problems.
// Limits: kJsonDepthMax (a legal item takes about 70: two levels of JSON per level of nesting).
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>

#include "region-node/api/error.h"

namespace boost::json {
class array;
class object;
class value;
}  // namespace boost::json

namespace meridian::api {

inline constexpr std::size_t kJsonDepthMax = 256;

class Problems {
 public:
  // Kept unless there is one already.
  void report(ApiError error) {
    if (!first_) first_ = std::move(error);
  }
  [[nodiscard]] bool any() const { return first_.has_value(); }
  // REQUIRES: any().
  ApiError take() { return std::move(*first_); }

 private:
  std::optional<ApiError> first_;
};

class JsonArray;
class JsonObject;

class JsonValue {
 public:
  JsonValue() = default;
  explicit JsonValue(const boost::json::value* value) : value_(value) {}

  // Neither absent nor null.
  [[nodiscard]] bool present() const { return value_ != nullptr; }
  // Each is empty when absent; reports and is empty when of another type.
  [[nodiscard]] std::optional<std::string_view> text(Problems& problems) const;
  [[nodiscard]] std::optional<bool> boolean(Problems& problems) const;
  [[nodiscard]] std::optional<std::int64_t> integer(Problems& problems) const;
  [[nodiscard]] std::optional<JsonObject> object(Problems& problems) const;
  [[nodiscard]] std::optional<JsonArray> array(Problems& problems) const;

 private:
  const boost::json::value* value_ = nullptr;
};

class JsonObject {
 public:
  explicit JsonObject(const boost::json::object* object) : object_(object) {}
  // Absent when there is no such member or it is null.
  [[nodiscard]] JsonValue get(std::string_view name) const;
  [[nodiscard]] std::size_t size() const;
  [[nodiscard]] std::string_view name_at(std::size_t index) const;
  [[nodiscard]] JsonValue value_at(std::size_t index) const;

 private:
  const boost::json::object* object_;
};

class JsonArray {
 public:
  explicit JsonArray(const boost::json::array* array) : array_(array) {}
  [[nodiscard]] std::size_t size() const;
  [[nodiscard]] JsonValue at(std::size_t index) const;

 private:
  const boost::json::array* array_;
};

class Document {
 public:
  Document();
  ~Document();
  // The outermost object; empty when `body` is not JSON or not an object.
  std::optional<JsonObject> parse(std::string_view body);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace meridian::api
