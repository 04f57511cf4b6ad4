#include "region-node/api/error.h"

namespace meridian::api {
namespace {

constexpr std::string_view kDynamo = "com.amazonaws.dynamodb.v20120810#";
constexpr std::string_view kValidate = "com.amazon.coral.validate#";
constexpr std::string_view kService = "com.amazon.coral.service#";
constexpr std::string_view kAvailability = "com.amazon.coral.availability#";

ApiError make(std::string_view prefix, std::string_view type, std::string message,
              int http_status = 400) {
  return {http_status, std::string(prefix).append(type), std::move(message), nullptr};
}

}  // namespace

std::string_view ApiError::short_type() const {
  std::string_view all = type;
  auto hash = all.find('#');
  return hash == std::string_view::npos ? all : all.substr(hash + 1);
}

ApiError ApiError::validation(std::string message) {
  return make(kValidate, "ValidationException", std::move(message));
}

ApiError ApiError::serialization(std::string message) {
  return make(kService, "SerializationException", std::move(message));
}

ApiError ApiError::unknown_operation(std::string message) {
  return make(kService, "UnknownOperationException", std::move(message));
}

ApiError ApiError::resource_not_found(std::string message) {
  return make(kDynamo, "ResourceNotFoundException", std::move(message));
}

ApiError ApiError::global_table_not_found(const std::string& name) {
  return make(kDynamo, "GlobalTableNotFoundException",
              "Global table with name '" + name + "' does not exist.");
}

ApiError ApiError::global_table_exists(const std::string& name) {
  return make(kDynamo, "GlobalTableAlreadyExistsException",
              "Global table with name '" + name + "' already exists.");
}

ApiError ApiError::table_not_found(const std::string& name) {
  return make(kDynamo, "TableNotFoundException",
              "Requested resource not found: Table: " + name + " not found");
}

ApiError ApiError::replica_exists(const std::string& table, const RegionId& region) {
  return make(kDynamo, "ReplicaAlreadyExistsException",
              "Global table with name '" + table + "' has a replica in the region " +
                  std::string(region.name()) + " already.");
}

ApiError ApiError::replica_not_found(const std::string& table, const RegionId& region) {
  return make(kDynamo, "ReplicaNotFoundException",
              "Global table with name '" + table + "' has no replica in the region " +
                  std::string(region.name()) + ".");
}

ApiError ApiError::resource_in_use(std::string message) {
  return make(kDynamo, "ResourceInUseException", std::move(message));
}

ApiError ApiError::condition_failed(std::shared_ptr<const model::Item> item) {
  auto error = make(kDynamo, "ConditionalCheckFailedException", "The conditional request failed");
  error.item = std::move(item);
  return error;
}

ApiError ApiError::limit_exceeded(std::string message) {
  return make(kDynamo, "LimitExceededException", std::move(message));
}

ApiError ApiError::throughput_exceeded(std::string message) {
  return make(kDynamo, "ProvisionedThroughputExceededException", std::move(message));
}

ApiError ApiError::throttling(std::string message) {
  return make(kAvailability, "ThrottlingException", std::move(message));
}

ApiError ApiError::internal(std::string message) {
  return make(kDynamo, "InternalServerError", std::move(message), 500);
}

ApiError ApiError::unavailable(std::string message) {
  return make(kAvailability, "ServiceUnavailableException", std::move(message), 503);
}

ApiError ApiError::trimmed_data(std::string message) {
  return make(kDynamo, "TrimmedDataAccessException", std::move(message));
}

ApiError ApiError::expired_iterator(std::string message) {
  return make(kDynamo, "ExpiredIteratorException", std::move(message));
}

}  // namespace meridian::api
