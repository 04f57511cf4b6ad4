#include "tests/component/repair/pair.h"

#include <utility>

#include "region-node/model/image.h"
#include "region-node/model/key.h"

namespace meridian::repair {
namespace {

const TableId kTable{1, 2};

model::KeySchema schema() { return {{"pk", model::AttributeType::S}, std::nullopt}; }

std::string name_of(std::uint64_t number) {
  std::string digits = std::to_string(number);
  return std::string(8 - std::min<std::size_t>(8, digits.size()), '0') + digits;
}

std::uint64_t bytes_of(const rpc::RowHead& head) { return head.key.size() + 40; }

std::uint64_t bytes_of(const rpc::RepairWork& work) {
  std::uint64_t bytes = 0;
  for (const auto& row : work.rows) bytes += rpc::payload_bytes(row.row) + 40;
  for (const auto& drop : work.drops) bytes += drop.key.size() + 40;
  return bytes;
}

}  // namespace

Bytes key_of(std::uint64_t number) {
  model::Item item;
  item.emplace("pk", model::StringValue{name_of(number)});
  return std::move(model::encode_key(schema(), item)).value();
}

Bytes image_of(std::uint64_t number, const std::string& value) {
  model::Item item;
  item.emplace("pk", model::StringValue{name_of(number)});
  item.emplace("value", model::StringValue{value});
  return model::encode_image(item);
}

Side::Side(const Clock& clock, RegionId region, const std::string& name)
    : clock_(clock), file_(name) {
  store::StoreOptions options;
  options.memory_name = name;
  options.region = region;
  store_ = std::make_unique<store::InlineStore>(options, clock_, Rng(hash64(name)));
  store::TableSpec spec;
  spec.id = kTable;
  spec.name = "T";
  spec.keys = schema();
  spec.shards = 2;
  spec.stream = model::StreamViewType::NEW_AND_OLD_IMAGES;
  conflict::Version changed{conflict::Hlc::at_ms(kEpochMs), region};
  for (const auto& member : {kEast, kWest, kFar})
    spec.replicas[member] = store::ReplicaEntry{true, changed};
  store_->create_table(spec, [](store::ControlResult result) { EXPECT_TRUE(result.ok()); });
  store_->run_pending();
  table_ = kTable;
  reader_ = store_->open_reader();
}

void Side::put(std::uint64_t number, std::int64_t at, std::optional<std::string> value,
               RegionId origin) {
  auto& records = waiting_[origin];
  rpc::ChangeRecord record;
  record.key = key_of(number);
  record.version = {conflict::Hlc::at_ms(kEpochMs + at), origin};
  if (value) record.new_image = image_of(number, *value);
  records.push_back(std::move(record));
  if (records.size() == rpc::kBatchRecordsMax) flush();
}

void Side::flush() {
  for (auto& [origin, records] : waiting_) {
    auto& from = positions_[origin];
    LogPosition to{StartId(7), from.sequence};
    for (auto& record : records) record.sequence = to.sequence = to.sequence.next();
    rpc::ReplicationBatch batch{{table_, ShardId(0), origin}, from, to, std::move(records)};
    store_->apply(std::move(batch), NodeId(hash64(origin.name())),
                  [](const rpc::ApplyOutcome& outcome) {
                    EXPECT_EQ(outcome.status, rpc::ApplyStatus::applied);
                  });
    from = to;
  }
  waiting_.clear();
  store_->run_pending();
}

std::optional<store::Row> Side::row(std::uint64_t number) {
  flush();
  return reader_->get_row(table_, key_of(number));
}

void Side::know(const Facts& facts) {
  store_->adopt_watermarks({table_, facts.watermarks, facts.collected},
                           [](bool known) { EXPECT_TRUE(known); });
  store_->run_pending();
}

std::vector<store::Row> Side::rows() {
  flush();
  std::vector<store::Row> out;
  while (true) {
    auto page = reader_->scan_rows(table_, out.empty() ? BytesView{} : out.back().key, 1000);
    if (page.empty()) return out;
    out.insert(out.end(), page.begin(), page.end());
  }
}

Facts claims(std::int64_t at, std::int64_t collected_at) {
  rpc::ReplicaFacts known;
  for (const auto& region : {kEast, kWest, kFar})
    known.watermarks[region] = conflict::Hlc::at_ms(kEpochMs + at);
  if (collected_at >= 0) known.collected = conflict::Hlc::at_ms(kEpochMs + collected_at);
  return facts_of(known, {kEast, kWest, kFar});
}

namespace {

// Carries out steps on two stores at hand, and counts what would have travelled.
class Walker {
 public:
  Walker(Side& here, Side& there, Session& session)
      : here_(here), there_(there), session_(session) {}

  Step operator()(const DigestThere& step) {
    auto page = digest_span(there_.reader(), step.request);
    std::uint64_t bytes = 64;
    for (const auto& part : page.parts) bytes += 40 + (part.to ? part.to->size() : 0);
    call(bytes);
    return session_.on_digests_there(std::move(page));
  }
  Step operator()(const DigestHere& step) {
    return session_.on_digests_here(
        digest_parts(here_.reader(), step.table, step.after, step.bounds, step.horizon));
  }
  Step operator()(const HeadsHere& step) {
    return session_.on_heads_here(
        heads_of(here_.reader(), step.table, step.spans, step.horizon, step.rows_max));
  }
  Step operator()(const CompareThere& step) {
    std::uint64_t bytes = 64;
    for (const auto& span : step.request.spans)
      bytes += 2 * span.keys.after.size() + 32 + 8 * span.hashes.size();
    auto comparison = compare(there_.reader(), step.request);
    for (const auto& head : comparison.theirs) bytes += bytes_of(head);
    call(bytes + 4 * comparison.unmatched.size());
    return session_.on_comparison(std::move(comparison));
  }
  Step operator()(const FetchHere& step) {
    return session_.on_rows(fetch(here_.reader(), step.request));
  }
  Step operator()(const FetchThere& step) {
    auto rows = fetch(there_.reader(), step.request);
    std::uint64_t bytes = 64;
    for (const auto& key : step.request.keys) bytes += key.size() + 8;
    for (const auto& row : rows.rows) bytes += rpc::payload_bytes(row) + 40;
    call(bytes);
    return session_.on_rows(std::move(rows));
  }
  Step operator()(ApplyHere& step) { return session_.on_applied(apply(here_, step.work)); }
  Step operator()(ApplyThere& step) {
    call(bytes_of(step.work));
    return session_.on_applied(apply(there_, step.work));
  }
  Step operator()(const Finished& step) { return step; }
  Step operator()(const Nonsense& step) { return step; }

  Traffic traffic;

 private:
  void call(std::uint64_t bytes) {
    ++traffic.calls;
    traffic.bytes += bytes;
  }
  static rpc::RepairOutcome apply(Side& side, rpc::RepairWork& work);

  Side& here_;
  Side& there_;
  Session& session_;
};

rpc::RepairOutcome Walker::apply(Side& side, rpc::RepairWork& work) {
  std::optional<rpc::RepairOutcome> answer;
  side.store().repair_rows(work,
                           [&answer](const rpc::RepairOutcome& outcome) { answer = outcome; });
  side.store().run_pending();
  EXPECT_TRUE(answer.has_value());
  EXPECT_EQ(answer->status, rpc::ApplyStatus::applied);
  return answer.value_or(rpc::RepairOutcome{});
}

}  // namespace

Walked walk(Side& here, Side& there, Facts facts_here, Facts facts_there, Purpose purpose,
            SessionLimits limits) {
  here.flush();
  there.flush();
  Session session(here.table(), std::move(facts_here), std::move(facts_there), purpose, limits);
  Walker walker(here, there, session);
  Walked out;
  Step step = session.start();
  while (!std::holds_alternative<Finished>(step)) {
    if (auto* nonsense = std::get_if<Nonsense>(&step)) {
      out.nonsense = nonsense->what;
      break;
    }
    Step current = std::move(step);
    step = std::visit(walker, current);
  }
  out.figures = session.figures();
  out.samples = session.samples();
  out.digest_here = session.digest_here();
  out.digest_there = session.digest_there();
  out.traffic = walker.traffic;
  return out;
}

}  // namespace meridian::repair
