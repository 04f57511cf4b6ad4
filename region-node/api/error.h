// ApiError: one failed request as AWS would answer it: HTTP status, error type and message.
//
// Named factories, one per AWS error, so that a type's name and status are written down once.
// Threads: value type.
// Source: DynamoDB API reference, "Error handling with DynamoDB"; the prefixes before '#' are the
// ones that AWS answers with (clients look only at what follows it).
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "common/ids.h"
#include "region-node/model/attribute_value.h"

namespace meridian::api {

struct ApiError {
  int http_status = 400;
  std::string type;  // with its prefix: com.amazonaws.dynamodb.v20120810#ResourceNotFoundException
  std::string message;
  // The item that failed the condition, for ReturnValuesOnConditionCheckFailure=ALL_OLD.
  std::shared_ptr<const model::Item> item;

  // The type without its prefix.
  [[nodiscard]] std::string_view short_type() const;

  static ApiError validation(std::string message);
  // JSON of a wrong shape: SerializationException.
  static ApiError serialization(std::string message);
  static ApiError unknown_operation(std::string message);
  static ApiError resource_not_found(std::string message = "Requested resource not found");
  // Of version 2017.11.29: "Global table with name 'T' does not exist."
  static ApiError global_table_not_found(const std::string& name);
  static ApiError global_table_exists(const std::string& name);
  static ApiError table_not_found(const std::string& name);
  static ApiError replica_exists(const std::string& table, const RegionId& region);
  static ApiError replica_not_found(const std::string& table, const RegionId& region);
  static ApiError resource_in_use(std::string message);
  static ApiError condition_failed(std::shared_ptr<const model::Item> item = nullptr);
  static ApiError limit_exceeded(std::string message);
  // Retried with back-off by every SDK.
  static ApiError throughput_exceeded(std::string message);
  static ApiError throttling(std::string message);
  // 500, retried by every SDK.
  static ApiError internal(std::string message);
  // 503, retried by every SDK.
  static ApiError unavailable(std::string message);
  static ApiError trimmed_data(std::string message);
  static ApiError expired_iterator(std::string message);
};

}  // namespace meridian::api
