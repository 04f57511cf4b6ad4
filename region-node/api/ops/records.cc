#include <algorithm>

#include "region-node/api/arn.h"
#include "region-node/api/constraints.h"
#include "region-node/api/json_out.h"
#include "region-node/api/ops/ops.h"
#include "region-node/api/request.h"
#include "region-node/api/stream_ids.h"
#include "region-node/api/stream_lookup.h"
#include "region-node/api/wire_json.h"
#include "region-node/model/image.h"
#include "region-node/model/item_size.h"
#include "region-node/model/key.h"

namespace meridian::api::ops {
namespace {

constexpr std::int64_t kRecordsMax = 1000;
constexpr std::size_t kRecordsBytesMax = 1024 * 1024;
constexpr std::int64_t kIteratorLifeMs = 15 * 60 * 1000;

const store::StreamShard* find_shard(const store::StreamInfo& stream, ShardId shard,
                                     std::uint32_t generation) {
  for (const auto& one : stream.shards)
    if (one.shard == shard && one.generation == generation) return &one;
  return nullptr;
}

ApiError trimmed() {
  return ApiError::trimmed_data(
      "The operation attempted to read past the oldest stream record in a shard.");
}

// Where an iterator of the two kinds that name a sequence number begins.
Result<Sequence, ApiError> start_at(const store::StreamShard& shard, std::string_view type,
                                    std::string_view text, const store::Reader::ShardSpan& span) {
  auto at = parse_sequence_number(text, shard.shard);
  Sequence end = shard.last ? *shard.last : span.end;
  // One past the end is legal: the number of a record that another reader has only just seen.
  if (!at || *at < shard.first || *at > end.next()) {
    return Err(ApiError::validation(
        "Invalid SequenceNumber in ShardIterator request: it does not belong to the shard: " +
        std::string(text)));
  }
  Sequence next = type == "AFTER_SEQUENCE_NUMBER" ? at->next() : *at;
  if (next < span.oldest) return Err(trimmed());
  return next;
}

Result<Sequence, ApiError> start_of(const store::StreamShard& shard, std::string_view type,
                                    std::optional<std::string_view> number,
                                    const store::Reader::ShardSpan& span) {
  if (type == "TRIM_HORIZON") return std::max(shard.first, span.oldest);
  if (type == "LATEST") return shard.last ? shard.last->next() : span.end.next();
  return start_at(shard, type, *number, span);
}

void check_number_given(std::optional<std::string_view> type,
                        std::optional<std::string_view> number, Constraints& constraints,
                        Problems& problems) {
  bool wants = type == "AT_SEQUENCE_NUMBER" || type == "AFTER_SEQUENCE_NUMBER";
  if (number) {
    bool digits = number->find_first_not_of("0123456789") == std::string_view::npos;
    if (!digits)
      constraints.fail(*number, "sequenceNumber", "satisfy regular expression pattern: [0-9]+");
    if (number->size() < 21)
      constraints.fail(*number, "sequenceNumber", "have length greater than or equal to 21");
    if (number->size() > 40)
      constraints.fail(*number, "sequenceNumber", "have length less than or equal to 40");
  }
  constraints.finish(problems);
  if (wants && !number) {
    problems.report(ApiError::validation("SequenceNumber is required for ShardIteratorType " +
                                         std::string(*type)));
  } else if (!wants && number) {
    problems.report(ApiError::validation("SequenceNumber must not be given for ShardIteratorType " +
                                         std::string(type.value_or(""))));
  }
}

bool shows_new(model::StreamViewType view) {
  return view == model::StreamViewType::NEW_IMAGE ||
         view == model::StreamViewType::NEW_AND_OLD_IMAGES;
}

bool shows_old(model::StreamViewType view) {
  return view == model::StreamViewType::OLD_IMAGE ||
         view == model::StreamViewType::NEW_AND_OLD_IMAGES;
}

// Writes an image under `name` and answers its size; empty when it cannot be read.
std::optional<std::size_t> append_image(JsonMembers& members, std::string_view name,
                                        const std::optional<Bytes>& image) {
  if (!image) return 0;
  auto item = model::decode_image(*image);
  if (!item) return std::nullopt;
  append_map(members.name(name), *item);
  return model::item_size(*item);
}

// False when the record cannot be read.
bool append_record(std::string& out, const Services& services, const store::TableInfo& table,
                   model::StreamViewType view, ShardId shard, const rpc::ChangeRecord& record) {
  JsonMembers members(out);
  members.text("eventID", event_id(table.id, shard, record.sequence));
  members.text("eventName", !record.new_image ? "REMOVE" : record.old_image ? "MODIFY" : "INSERT");
  members.text("eventVersion", "1.1");
  members.text("eventSource", "aws:dynamodb");
  members.text("awsRegion", services.store.region().name());
  JsonMembers change(members.name("dynamodb"));
  // Whole seconds, as on AWS.
  change.integer("ApproximateCreationDateTime", record.committed_us / 1'000'000);
  auto keys = model::decode_key(table.keys, record.key);
  if (!keys) return false;
  append_map(change.name("Keys"), *keys);
  std::optional<std::size_t> new_bytes = 0;
  std::optional<std::size_t> old_bytes = 0;
  if (shows_new(view)) new_bytes = append_image(change, "NewImage", record.new_image);
  if (shows_old(view)) old_bytes = append_image(change, "OldImage", record.old_image);
  if (!new_bytes || !old_bytes) return false;
  change.text("SequenceNumber", sequence_number(shard, record.sequence));
  change.integer("SizeBytes",
                 static_cast<std::int64_t>(model::item_size(*keys) + *new_bytes + *old_bytes));
  change.text("StreamViewType", model::view_type_name(view));
  change.end();
  members.end();
  return true;
}

Answer records_answer(const Services& services, const FoundStream& found,
                      const store::StreamShard& shard, ShardIterator iterator,
                      const store::Reader::StreamPage& page) {
  std::string out;
  JsonMembers members(out);
  auto& list = members.name("Records");
  list += '[';
  bool first = true;
  for (const auto& record : page.records) {
    if (!first) list += ',';
    first = false;
    if (!append_record(list, services, *found.table, found.stream->view, shard.shard, record))
      return Err(ApiError::internal("A stream record cannot be read"));
  }
  list += ']';
  // A closed shard that is read to its end has no next iterator; an open one always has.
  bool ended = shard.last && page.next > *shard.last;
  if (!ended) {
    iterator.next = page.next;
    iterator.issued_ms = services.clock.wall_ms();
    members.text("NextShardIterator", encode_iterator(iterator));
  }
  members.end();
  return out;
}

}  // namespace

Answer get_shard_iterator(const Call& call) {
  Problems problems;
  Constraints constraints;
  auto arn = call.input.get("StreamArn").text(problems);
  auto id = call.input.get("ShardId").text(problems);
  auto type = call.input.get("ShardIteratorType").text(problems);
  auto number = call.input.get("SequenceNumber").text(problems);
  constraints.required(arn.has_value(), "streamArn");
  constraints.required(id.has_value(), "shardId");
  constraints.required(type.has_value(), "shardIteratorType");
  constraints.one_of(type, "shardIteratorType",
                     {"AFTER_SEQUENCE_NUMBER", "LATEST", "AT_SEQUENCE_NUMBER", "TRIM_HORIZON"});
  check_number_given(type, number, constraints, problems);
  if (problems.any()) return Err(problems.take());
  auto found = find_stream(call.services, *arn);
  if (!found) return Err(std::move(found.error()));
  auto shards = named_shards(*found->stream);
  auto at = std::find_if(shards.begin(), shards.end(),
                         [&](const auto& named) { return named.id == *id; });
  if (at == shards.end()) {
    return Err(
        ApiError::resource_not_found("Requested resource not found: Shard: " + std::string(*id) +
                                     " in Stream: " + std::string(*arn) + " not found"));
  }
  const auto& shard = *at->shard;
  auto span = call.services.readers.borrow()->shard_span(found->table->id, shard.shard);
  auto next = start_of(shard, *type, number, span);
  if (!next) return Err(std::move(next.error()));
  std::string out;
  JsonMembers members(out);
  members.text("ShardIterator",
               encode_iterator({found->table->id, std::string(*arn), shard.shard, shard.generation,
                                *next, call.services.clock.wall_ms()}));
  members.end();
  return out;
}

Answer get_records(const Call& call) {
  Problems problems;
  Constraints constraints;
  auto text = call.input.get("ShardIterator").text(problems);
  auto limit = call.input.get("Limit").integer(problems);
  constraints.required(text.has_value(), "shardIterator");
  constraints.at_least(limit, "limit", 1);
  constraints.at_most(limit, "limit", kRecordsMax);
  constraints.finish(problems);
  auto iterator = text ? decode_iterator(*text) : std::nullopt;
  if (!iterator) problems.report(ApiError::validation("Invalid ShardIterator"));
  if (problems.any()) return Err(problems.take());
  const auto& services = call.services;
  auto age_ms = services.clock.wall_ms() - iterator->issued_ms;
  if (age_ms > kIteratorLifeMs) {
    return Err(ApiError::expired_iterator(
        "Iterator expired. The iterator was created more than 15 minutes ago."));
  }
  auto found = find_stream(services, iterator->stream_arn);
  if (!found) return Err(std::move(found.error()));
  if (found->table->id != iterator->table) {
    return Err(ApiError::resource_not_found(
        "Requested resource not found: Stream: " + iterator->stream_arn + " not found"));
  }
  const auto* shard = find_shard(*found->stream, iterator->shard, iterator->generation);
  if (!shard) return Err(trimmed());
  store::Reader::StreamPage page;
  page.next = iterator->next;
  bool at_end = shard->last && iterator->next > *shard->last;
  if (!at_end) {
    store::LogLimits limits;
    limits.records_max = static_cast<std::size_t>(limit.value_or(kRecordsMax));
    limits.bytes_max = kRecordsBytesMax;
    page = services.readers.borrow()->read_stream(found->table->id, shard->shard, iterator->next,
                                                  shard->last, limits);
  }
  if (page.trimmed) return Err(trimmed());
  return records_answer(services, *found, *shard, std::move(*iterator), page);
}

}  // namespace meridian::api::ops
