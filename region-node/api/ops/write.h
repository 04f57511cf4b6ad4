// What PutItem, UpdateItem and DeleteItem have in common: their table, their options, their answer.
// Threads: a WriteRequest is read on the HTTP thread; its answer is made on the writer's.
#pragma once

#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>

#include "region-node/api/call.h"
#include "region-node/api/capacity.h"
#include "region-node/api/constraints.h"
#include "region-node/api/mutation.h"
#include "region-node/api/request.h"

namespace meridian::api::ops {

enum class ReturnValues { none, all_old, updated_old, all_new, updated_new };

struct WriteRequest {
  std::string table_name;
  ReturnValues returned = ReturnValues::none;
  CapacityDetail capacity = CapacityDetail::none;
  bool item_on_failed_condition = false;
  std::optional<conflict::Version> if_version = std::nullopt;
};

// Reads TableName, ReturnValues, ReturnConsumedCapacity and their like.  `allowed`: what this
// operation can return; `refusal`: what AWS says to the others.
WriteRequest read_write_request(const Call& call, Constraints& constraints,
                                std::initializer_list<ReturnValues> allowed,
                                std::string_view refusal, Problems& problems);

MutationOptions mutation_options(const WriteRequest& request,
                                 std::optional<expr::Condition> condition);

// {"Attributes":...,"ConsumedCapacity":...}
std::string write_answer(const WriteRequest& request, const std::optional<model::Item>& attributes,
                         const Mutation& mutation);

// The Key of a request, checked against the table; empty after reporting.
std::optional<Bytes> encode_request_key(const model::KeySchema& schema, const model::Item& key,
                                        Problems& problems);

}  // namespace meridian::api::ops
