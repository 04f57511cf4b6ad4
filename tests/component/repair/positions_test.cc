// What a sink says of where it stands, against a log that goes on meanwhile.
#include "region-node/repair/positions.h"

#include <gtest/gtest.h>

#include "tests/component/repair/pair.h"

namespace meridian::repair {
namespace {

class PutImage final : public store::ItemMutation {
 public:
  explicit PutImage(Bytes image) : image_(std::move(image)) {}
  store::Verdict evaluate(std::optional<BytesView>) override {
    return {store::Verdict::Kind::put, image_};
  }

 private:
  Bytes image_;
};

// East's log; west is its sink.
class PositionsTest : public ::testing::Test {
 protected:
  PositionsTest() {
    options_.memory_name = file_.name();
    options_.region = kEast;
    options_.retention_ms = 0;
    open();
    store::TableSpec spec;
    spec.name = "T";
    spec.keys = {{"pk", model::AttributeType::S}, std::nullopt};
    spec.shards = 1;
    for (const auto& member : {kEast, kWest})
      spec.replicas[member] =
          store::ReplicaEntry{true, {conflict::Hlc::at_ms(kEpochMs), kEast}};
    store_->create_table(spec, [this](const store::ControlResult& result) {
      ASSERT_TRUE(result.ok());
      table_ = *result;
    });
    store_->run_pending();
  }

  void open() {
    store_ = std::make_unique<store::InlineStore>(options_, clock_, Rng(seed_++));
    reader_ = store_->open_reader();
  }
  // Another start, whose records belong to another run of the log.
  void restart() {
    reader_.reset();
    store_.reset();
    open();
  }
  // Answers where the log ends then.
  LogPosition put(std::uint64_t number) {
    store_->write({table_->id, key_of(number), std::make_shared<PutImage>(image_of(number, "v")),
                   [](const store::WriteResult& result) {
                     EXPECT_EQ(result.status, store::WriteStatus::committed);
                   }});
    store_->run_pending();
    return {store_->start_id(), reader_->shard_span(table_->id, ShardId(0)).end};
  }
  // What old enough records are trimmed for.
  void acknowledge(const LogPosition& position) {
    store_->acknowledge({{table_->id, ShardId(0), kWest, position}});
    for (int i = 0; i < 5; ++i) {
      clock_.now_us += 2'000'000;
      store_->run_pending();
    }
  }
  [[nodiscard]] std::vector<LogPosition> acknowledged() {
    return acknowledged_by(*reader_, *table_, kWest);
  }
  Verdict judge(const LogPosition& says, std::vector<LogPosition> acknowledged_before) {
    return examine(*reader_, *table_, kWest, {{says}, std::move(acknowledged_before)});
  }

  StillClock clock_;
  store::MemoryFile file_{"positions"};
  store::StoreOptions options_;
  std::uint64_t seed_ = 1;
  std::unique_ptr<store::InlineStore> store_;
  std::unique_ptr<store::Reader> reader_;
  store::TablePtr table_;
};

// It is asked, goes on, and the log goes behind it before its answer is there.
TEST_F(PositionsTest, AnAnswerThatWasOvertakenByAnAcknowledgementSaysNothing) {
  auto first = put(1);
  acknowledge(first);
  auto before = acknowledged();
  EXPECT_EQ(before, std::vector{first});
  put(2);
  EXPECT_EQ(judge(first, before), Verdict::fine);
  restart();
  auto last = put(3);
  acknowledge(last);
  ASSERT_EQ(reader_->shard_span(table_->id, ShardId(0)).oldest, Sequence(4));
  EXPECT_EQ(judge(first, before), Verdict::fine);
  EXPECT_EQ(judge({first.start, Sequence(900)}, before), Verdict::fine);
  // Whoever is asked now and still stands there has gone back.
  EXPECT_EQ(judge(first, acknowledged()), Verdict::trimmed);
  EXPECT_EQ(judge({}, acknowledged()), Verdict::trimmed);
  EXPECT_EQ(judge(last, acknowledged()), Verdict::fine);
}

TEST_F(PositionsTest, WhereTheLogHasNeverBeenItWasRestored) {
  auto first = put(1);
  acknowledge(first);
  EXPECT_EQ(judge({first.start, Sequence(2)}, acknowledged()), Verdict::restored);
  EXPECT_EQ(judge({StartId(4711), first.sequence}, acknowledged()), Verdict::restored);
}

}  // namespace
}  // namespace meridian::repair
