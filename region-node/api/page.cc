#include "region-node/api/page.h"

#include "region-node/api/json_out.h"
#include "region-node/api/legacy_json.h"
#include "region-node/api/wire_json.h"
#include "region-node/model/image.h"
#include "region-node/model/item_size.h"
#include "region-node/model/key.h"

namespace meridian::api {
namespace {

constexpr std::string_view kSelectPrefix = "One or more parameter values were invalid: ";

// Takes the rows of a page one by one and writes the items that pass.
class PageWriter {
 public:
  PageWriter(const PageRequest& request, const BelongsToSegment& belongs)
      : request_(request), belongs_(belongs) {}

  // False when the page is full.
  bool visit(BytesView key, BytesView image) {
    if (belongs_ && !belongs_(key)) return skip(key);
    auto item = model::decode_image(image);
    if (!item) {
      damaged_ = true;
      return false;
    }
    std::size_t size = model::item_size(*item);
    if (scanned_ > 0 && bytes_ + size > kPageBytesMax) {
      more_ = true;
      return false;
    }
    bytes_ += size;
    ++scanned_;
    last_key_ = key;
    if (!request_.filter || request_.filter->evaluate(*item)) take(*item);
    more_ = request_.limit && static_cast<std::int64_t>(scanned_) >= *request_.limit;
    return !more_;
  }

  Answer finish(const store::TableInfo& table) {
    if (damaged_) return Err(ApiError::internal("A stored item cannot be read"));
    std::string out;
    out.reserve(items_.size() + 256);
    JsonMembers members(out);
    if (!request_.only_count) members.name("Items").append("[").append(items_).append("]");
    members.integer("Count", count_);
    members.integer("ScannedCount", static_cast<std::int64_t>(scanned_));
    if (more_) {
      auto key = model::decode_key(table.keys, last_key_);
      if (!key) return Err(ApiError::internal("A stored key cannot be read"));
      append_map(members.name("LastEvaluatedKey"), *key);
    }
    if (request_.capacity != CapacityDetail::none) {
      append_capacity(members.name("ConsumedCapacity"), request_.table_name,
                      read_units(bytes_, request_.consistency), request_.capacity);
    }
    members.end();
    return out;
  }

 private:
  // A row of another segment.  The page ends there after many, so that no read lasts long.
  bool skip(BytesView key) {
    if (++skipped_ < kRowsVisitedMax) return true;
    last_key_ = key;
    more_ = true;
    return false;
  }

  void take(const model::Item& item) {
    ++count_;
    if (request_.only_count) return;
    if (!items_.empty()) items_ += ',';
    append_map(items_, request_.projection ? request_.projection->apply(item) : item);
  }

  const PageRequest& request_;
  const BelongsToSegment& belongs_;
  std::string items_;
  std::int64_t count_ = 0;
  std::size_t scanned_ = 0;
  std::size_t skipped_ = 0;
  std::size_t bytes_ = 0;
  Bytes last_key_;
  bool more_ = false;
  bool damaged_ = false;
};

}  // namespace

PageRequest read_page_request(const Call& call, Constraints& constraints, Problems& problems) {
  PageRequest out;
  const auto& input = call.input;
  out.table_name = read_table_name(call, constraints, problems);
  out.limit = input.get("Limit").integer(problems);
  auto capacity = input.get("ReturnConsumedCapacity").text(problems);
  constraints.one_of(capacity, "returnConsumedCapacity", {"INDEXES", "TOTAL", "NONE"});
  out.capacity = parse_capacity_detail(capacity);
  auto select = input.get("Select").text(problems);
  constraints.one_of(
      select, "select",
      {"SPECIFIC_ATTRIBUTES", "COUNT", "ALL_ATTRIBUTES", "ALL_PROJECTED_ATTRIBUTES"});
  if (input.get("ConsistentRead").boolean(problems).value_or(false))
    out.consistency = Consistency::strong;
  out.start_key = read_map(input.get("ExclusiveStartKey"), problems);
  return out;
}

void check_select(const JsonObject& input, PageRequest& request, Problems& problems) {
  auto select = input.get("Select").text(problems);
  if (auto index = input.get("IndexName").text(problems)) {
    problems.report(ApiError::validation("The table does not have the specified index: " +
                                         std::string(*index)));
  }
  if (!select) return;
  auto refuse = [&](std::string text) {
    problems.report(ApiError::validation(std::string(kSelectPrefix).append(text)));
  };
  std::string given =
      input.get("AttributesToGet").present() ? "AttributesToGet" : "ProjectionExpression";
  request.only_count = select == "COUNT";
  if (select == "ALL_PROJECTED_ATTRIBUTES")
    refuse("ALL_PROJECTED_ATTRIBUTES can be used only when Querying using an IndexName");
  if (select == "SPECIFIC_ATTRIBUTES" && !request.projection)
    refuse(
        "Must specify the AttributesToGet or ProjectionExpression when choosing to get "
        "SPECIFIC_ATTRIBUTES");
  if (select == "ALL_ATTRIBUTES" && request.projection)
    refuse("Cannot specify the " + given + " when choosing to get ALL_ATTRIBUTES");
  if (select == "COUNT" && request.projection)
    refuse("Cannot specify the " + given + " when choosing to get only the Count");
}

void read_filter(const JsonObject& input, std::string_view legacy, ExpressionInput& expressions,
                 PageRequest& request, Problems& problems) {
  auto text = input.get("FilterExpression").text(problems);
  auto conditions = read_conditions(input.get(legacy), problems);
  auto conditional = read_conditional_operator(input, legacy, problems);
  if (problems.any()) return;
  if (conditions) {
    request.filter = valid(expr::condition_from_filter(*conditions, conditional), problems);
  } else if (text) {
    request.filter =
        valid(expr::parse_condition(*text, expr::Parameter::filter, expressions.placeholders()),
              problems);
  }
}

std::optional<Bytes> encode_start_key(const PageRequest& request, const model::KeySchema& schema,
                                      Problems& problems) {
  if (!request.start_key) return std::nullopt;
  auto key = model::encode_exact_key(schema, *request.start_key);
  if (key) return std::move(*key);
  problems.report(ApiError::validation("The provided starting key is invalid: " + key.error()));
  return std::nullopt;
}

Answer read_page(const Services& services, const store::TableInfo& table,
                 const PageRequest& request, const store::KeyRange& range,
                 store::Direction direction, const BelongsToSegment& belongs) {
  PageWriter page(request, belongs);
  services.readers.borrow()->scan(
      table.id, range, direction,
      [&page](BytesView key, BytesView image) { return page.visit(key, image); });
  return page.finish(table);
}

}  // namespace meridian::api
