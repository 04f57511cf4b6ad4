// A damaged checkpoint database is set aside, kept and told; nothing else is.
#include "checkpoint/open.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "checkpoint/sqlite_store.h"
#include "tests/component/checkpoint/temp_dir.h"

namespace meridian::checkpoint {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

class LastLine final : public LogSink {
 public:
  void write(LogLevel level, std::string_view line) override {
    if (level == LogLevel::error) errors.emplace_back(line);
  }
  std::vector<std::string> errors;
};

class OpenCheckpoints : public ::testing::Test {
 protected:
  OpenCheckpoints() {
    SqliteCheckpointStore store(dir_.path());
    std::vector<Checkpoint> many;
    for (std::uint16_t shard = 0; shard < 500; ++shard) many.push_back(at(shard, 1, 5));
    store.save_batch(many);
  }
  [[nodiscard]] std::string file() const {
    return dir_.path() + "/" + kFileName;
  }
  std::unique_ptr<CheckpointStore> open() {
    return open_checkpoints(dir_.path(), clock_, Logger(log_));
  }
  void overwrite(std::streamoff at_byte, const std::string& bytes) {
    std::fstream stream(file(), std::ios::in | std::ios::out | std::ios::binary);
    stream.seekp(at_byte);
    stream << bytes;
  }
  std::vector<std::string> others() const {
    std::vector<std::string> out;
    for (const auto& entry : std::filesystem::directory_iterator(dir_.path()))
      if (entry.path() != file()) out.push_back(entry.path().filename().string());
    return out;
  }
  void expect_set_aside() {
    auto store = open();
    EXPECT_THAT(store->load_all(), IsEmpty());
    EXPECT_THAT(store->save_batch({at(0, 1, 7)}), IsEmpty());
    EXPECT_THAT(log_->errors, ElementsAre(HasSubstr("checkpoints_damaged")));
    EXPECT_THAT(others(), ElementsAre(HasSubstr("checkpoints.db.damaged-")));
    store.reset();
    EXPECT_THAT(open()->load_all(), ElementsAre(at(0, 1, 7)));
    EXPECT_THAT(others(), SizeIs(1));
  }

  TempDir dir_;
  SystemClock clock_;
  std::shared_ptr<LastLine> log_ = std::make_shared<LastLine>();
};

TEST_F(OpenCheckpoints, AGoodOneIsLeftAlone) {
  EXPECT_THAT(open()->load_all(), SizeIs(500));
  EXPECT_THAT(others(), IsEmpty());
  EXPECT_THAT(log_->errors, IsEmpty());
}

TEST_F(OpenCheckpoints, AZeroedHeader) {
  overwrite(0, std::string(100, '\0'));
  expect_set_aside();
}

TEST_F(OpenCheckpoints, NoDatabaseAtAll) {
  std::ofstream(file(), std::ios::trunc) << std::string(5000, 'x');
  expect_set_aside();
}

TEST_F(OpenCheckpoints, HalfOfTheFile) {
  std::filesystem::resize_file(file(), std::filesystem::file_size(file()) / 2);
  expect_set_aside();
}

TEST_F(OpenCheckpoints, APageOfGarbage) {
  overwrite(4096, std::string(4096, '\x55'));
  expect_set_aside();
}

TEST_F(OpenCheckpoints, ARowThatNobodyWrote) {
  {
    sqlite::Database db(file(), {});
    db.execute("UPDATE checkpoints SET table_id = x'01' WHERE shard = 17");
  }
  expect_set_aside();
}

// Readable, and wrong: it would let the node trim what the sink never got.
TEST_F(OpenCheckpoints, APositionThatMovedAhead) {
  {
    sqlite::Database db(file(), {});
    db.execute("UPDATE checkpoints SET sequence = sequence + 4096 WHERE shard = 17");
  }
  expect_set_aside();
}

TEST_F(OpenCheckpoints, AnOlderFormatStartsAnew) {
  {
    sqlite::Database db(file(), {});
    db.execute("DROP TABLE leases; DROP TABLE fence");
    db.execute("DROP TABLE checkpoints; CREATE TABLE checkpoints(sink TEXT)");
    db.execute("PRAGMA user_version = 1");
  }
  auto store = open();
  EXPECT_THAT(store->load_all(), IsEmpty());
  store->save_batch({at(0, 1, 7)});
  EXPECT_THAT(store->load_all(), ElementsAre(at(0, 1, 7)));
  EXPECT_THAT(others(), IsEmpty());
}

TEST_F(OpenCheckpoints, ANewerFormatIsNoDamage) {
  {
    sqlite::Database db(file(), {});
    db.execute("PRAGMA user_version = 99");
  }
  EXPECT_THROW(open(), std::runtime_error);
  EXPECT_THAT(others(), IsEmpty());
}

}  // namespace
}  // namespace meridian::checkpoint
