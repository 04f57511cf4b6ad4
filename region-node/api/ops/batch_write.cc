#include <atomic>
#include <set>

#include "region-node/api/capacity.h"
#include "region-node/api/constraints.h"
#include "region-node/api/json_out.h"
#include "region-node/api/ops/ops.h"
#include "region-node/api/request.h"
#include "region-node/api/wire_json.h"
#include "region-node/api/write_outcome.h"
#include "region-node/model/image.h"
#include "region-node/model/item_size.h"
#include "region-node/model/key.h"

namespace meridian::api::ops {
namespace {

constexpr std::size_t kWritesMax = 25;

struct OneWrite {
  std::size_t table = 0;  // index into Batch::names
  TableId table_id;
  Bytes key;
  std::shared_ptr<Mutation> mutation;
  bool is_put = false;
  model::Item content;  // the item of a put, the key of a delete; to repeat it if unprocessed
  store::WriteStatus status = store::WriteStatus::unavailable;
};

// One BatchWriteItem under way: the last of its writes to complete answers the client.
struct Batch {
  std::vector<std::string> given_names;  // of tables, as the client wrote them
  std::vector<std::string> plain_names;
  std::vector<OneWrite> writes;
  CapacityDetail capacity = CapacityDetail::none;
  std::atomic<std::size_t> pending{0};
  Reply reply;
};

void read_put(const JsonObject& request, const model::KeySchema& schema, const Batch& batch,
              OneWrite& out, Problems& problems) {
  auto item = read_map(request.get("Item"), problems);
  if (!item) {
    Constraints constraints;
    constraints.required(false, "requestItems.member.putRequest.item");
    constraints.finish(problems);
    return;
  }
  auto key = valid(model::encode_key(schema, *item), problems);
  std::size_t bytes = model::item_size(*item);
  if (bytes > model::kItemBytesMax)
    problems.report(ApiError::validation("Item size has exceeded the maximum allowed size"));
  if (problems.any()) return;
  MutationOptions options;
  options.keep_old = batch.capacity != CapacityDetail::none;
  out.is_put = true;
  out.key = std::move(*key);
  out.mutation = std::make_shared<PutMutation>(options, model::encode_image(*item), bytes);
  out.content = std::move(*item);
}

void read_delete(const JsonObject& request, const model::KeySchema& schema, const Batch& batch,
                 OneWrite& out, Problems& problems) {
  auto item = read_map(request.get("Key"), problems);
  if (!item) {
    Constraints constraints;
    constraints.required(false, "requestItems.member.deleteRequest.key");
    constraints.finish(problems);
    return;
  }
  auto key = valid(model::encode_exact_key(schema, *item), problems);
  if (problems.any()) return;
  MutationOptions options;
  options.keep_old = batch.capacity != CapacityDetail::none;
  out.key = std::move(*key);
  out.mutation = std::make_shared<DeleteMutation>(options);
  out.content = std::move(*item);
}

void read_one(JsonValue json, const model::KeySchema& schema, const Batch& batch, OneWrite& out,
              Problems& problems) {
  auto request = json.object(problems);
  if (problems.any()) return;
  auto put = request ? request->get("PutRequest").object(problems) : std::nullopt;
  auto removal = request ? request->get("DeleteRequest").object(problems) : std::nullopt;
  if (problems.any()) return;
  if (put && removal) {
    problems.report(ApiError::validation(
        "Supplied WriteRequest has more than one request set, must contain exactly one of "
        "PutRequest and DeleteRequest"));
  } else if (put) {
    read_put(*put, schema, batch, out, problems);
  } else if (removal) {
    read_delete(*removal, schema, batch, out, problems);
  } else {
    problems.report(ApiError::validation(
        "Supplied WriteRequest is empty, must contain exactly one of PutRequest and "
        "DeleteRequest"));
  }
}

void read_table_writes(const Call& call, std::string_view name, JsonValue json, Batch& batch,
                       Problems& problems) {
  auto requests = json.array(problems);
  if (problems.any()) return;
  if (!requests || requests->size() == 0 || requests->size() > kWritesMax) {
    // AWS repeats the whole request as the value; its table is enough.
    problems.report(ApiError::validation(
        "1 validation error detected: Value '{" + std::string(name) +
        "=[...]}' at 'requestItems' failed to satisfy constraint: Map value must satisfy "
        "constraint: [Member must have length less than or equal to 25, Member must have length "
        "greater than or equal to 1]"));
  }
  auto plain = plain_table_name(call.services, name, problems);
  if (problems.any()) return;
  auto table = find_table(call.services, plain);
  if (!table) return problems.report(std::move(table.error()));
  std::set<Bytes> seen;
  for (std::size_t i = 0; i < requests->size(); ++i) {
    OneWrite one;
    one.table = batch.given_names.size();
    one.table_id = (*table)->id;
    read_one(requests->at(i), (*table)->keys, batch, one, problems);
    if (problems.any()) return;
    if (!seen.insert(one.key).second) {
      problems.report(ApiError::validation("Provided list of item keys contains duplicates"));
      return;
    }
    batch.writes.push_back(std::move(one));
  }
  batch.given_names.emplace_back(name);
  batch.plain_names.push_back(plain);
}

void read_batch(const Call& call, Batch& batch, Problems& problems) {
  auto items = call.input.get("RequestItems").object(problems);
  auto capacity = call.input.get("ReturnConsumedCapacity").text(problems);
  auto metrics = call.input.get("ReturnItemCollectionMetrics").text(problems);
  Constraints constraints;
  if (!items || items->size() == 0) {
    problems.report(
        ApiError::validation("The requestItems parameter is required for BatchWriteItem"));
  }
  constraints.one_of(capacity, "returnConsumedCapacity", {"INDEXES", "TOTAL", "NONE"});
  constraints.one_of(metrics, "returnItemCollectionMetrics", {"SIZE", "NONE"});
  constraints.finish(problems);
  batch.capacity = parse_capacity_detail(capacity);
  for (std::size_t i = 0; items && i < items->size() && !problems.any(); ++i)
    read_table_writes(call, items->name_at(i), items->value_at(i), batch, problems);
  if (batch.writes.size() > kWritesMax)
    problems.report(ApiError::validation("Too many items requested for the BatchWriteItem call"));
}

void append_unprocessed(std::string& out, const Batch& batch, std::size_t table) {
  out += '[';
  bool first = true;
  for (const auto& one : batch.writes) {
    if (one.table != table || one.status == store::WriteStatus::committed) continue;
    out += first ? "" : ",";
    first = false;
    out += one.is_put ? "{\"PutRequest\":{\"Item\":" : "{\"DeleteRequest\":{\"Key\":";
    append_map(out, one.content);
    out += "}}";
  }
  out += ']';
}

// Writes that the store would not take are for the client to send again; only if it took none is the
// whole request an error, as on AWS.
Answer finish(const Batch& batch) {
  std::size_t committed = 0;
  std::set<std::size_t> unfinished;
  for (const auto& one : batch.writes) {
    if (one.status == store::WriteStatus::no_such_table)
      return Err(write_error(one.status, *one.mutation));
    if (one.status == store::WriteStatus::committed)
      ++committed;
    else
      unfinished.insert(one.table);
  }
  if (committed == 0)
    return Err(write_error(batch.writes.front().status, *batch.writes.front().mutation));
  std::string out;
  JsonMembers members(out);
  JsonMembers unprocessed(members.name("UnprocessedItems"));
  for (auto table : unfinished)
    append_unprocessed(unprocessed.name(batch.given_names[table]), batch, table);
  unprocessed.end();
  if (batch.capacity != CapacityDetail::none) {
    std::map<std::string, double> units;
    for (const auto& one : batch.writes)
      if (one.status == store::WriteStatus::committed)
        units[batch.plain_names[one.table]] += write_units(one.mutation->bytes());
    append_capacities(members.name("ConsumedCapacity"), units, batch.capacity);
  }
  members.end();
  return out;
}

}  // namespace

void batch_write_item(const Call& call, Reply reply) {
  Problems problems;
  auto batch = std::make_shared<Batch>();
  read_batch(call, *batch, problems);
  if (problems.any()) return reply(Err(problems.take()));
  batch->reply = std::move(reply);
  batch->pending = batch->writes.size();
  // The batch may be finished, by another thread, as soon as the last write is submitted.
  for (std::size_t i = 0, count = batch->writes.size(); i < count; ++i) {
    auto& one = batch->writes[i];
    store::ItemWrite write;
    write.table = one.table_id;
    write.key = one.key;
    write.mutation = one.mutation;
    write.done = [batch, i](const store::WriteResult& result) {
      batch->writes[i].status = result.status;
      if (batch->pending.fetch_sub(1) == 1) batch->reply(finish(*batch));
    };
    call.services.store.write(std::move(write));
  }
}

}  // namespace meridian::api::ops
