// The rules of a checkpoint store, the same for the one on disk and the one in memory.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>

#include "checkpoint/memory_store.h"
#include "checkpoint/sqlite_store.h"
#include "tests/component/checkpoint/temp_dir.h"

namespace meridian::checkpoint {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

class EveryStore : public ::testing::TestWithParam<bool> {
 protected:
  EveryStore() {
    if (GetParam()) {
      store_ = std::make_unique<SqliteCheckpointStore>(dir_.path() + "/deep/er");
    } else {
      store_ = std::make_unique<MemoryCheckpointStore>();
    }
  }
  TempDir dir_;
  std::unique_ptr<CheckpointStore> store_;
};
INSTANTIATE_TEST_SUITE_P(DiskAndMemory, EveryStore, ::testing::Bool());

TEST_P(EveryStore, KeepsTheNewestOfEachFlow) {
  EXPECT_THAT(store_->load_all(), IsEmpty());
  EXPECT_FALSE(store_->load(at(0, 1, 1).key));
  EXPECT_THAT(store_->save_batch({at(0, 1, 5), at(1, 1, 9)}), IsEmpty());
  EXPECT_THAT(store_->save_batch({at(0, 1, 6)}), IsEmpty());
  EXPECT_EQ(store_->load(at(0, 1, 1).key), at(0, 1, 6));
  EXPECT_THAT(store_->load_all(), ElementsAre(at(0, 1, 6), at(1, 1, 9)));
}

TEST_P(EveryStore, NeverMovesBackWithinOneStartAndSaysSo) {
  store_->save_batch({at(0, 1, 6)});
  EXPECT_THAT(store_->save_batch({at(0, 1, 5), at(1, 1, 2)}), ElementsAre(at(0, 1, 5)));
  EXPECT_THAT(store_->load_all(), ElementsAre(at(0, 1, 6), at(1, 1, 2)));
  EXPECT_THAT(store_->save_batch({at(0, 1, 6)}), IsEmpty()) << "the same again is not back";
}

TEST_P(EveryStore, TakesAnotherStartWhateverItsSequence) {
  store_->save_batch({at(0, 1, 600)});
  EXPECT_THAT(store_->save_batch({at(0, 2, 5)}), IsEmpty());
  EXPECT_EQ(store_->load(at(0, 2, 5).key), at(0, 2, 5));
}

TEST_P(EveryStore, ForgetsFlowsThatAreOver) {
  store_->save_batch({at(0, 1, 5), at(1, 1, 9)});
  store_->forget({at(0, 1, 5).key, at(7, 1, 1).key});
  EXPECT_THAT(store_->load_all(), ElementsAre(at(1, 1, 9)));
}

TEST_P(EveryStore, KeepsAll64BitsOfIdentities) {
  auto wide = at(65535, ~std::uint64_t{0}, 1'000'000'000'000);
  store_->save_batch({wide});
  EXPECT_EQ(store_->load(wide.key), wide);
}

TEST(SqliteCheckpoints, AreThereWhenOpenedAgain) {
  TempDir dir;
  { SqliteCheckpointStore(dir.path()).save_batch({at(0, 1, 5)}); }
  SqliteCheckpointStore store(dir.path());
  EXPECT_THAT(store.load_all(), ElementsAre(at(0, 1, 5)));
}

TEST(SqliteCheckpoints, ANewerFormatIsRefused) {
  TempDir dir;
  { SqliteCheckpointStore store(dir.path()); }
  {
    sqlite::Database db(dir.path() + "/" + kFileName, {});
    db.execute("PRAGMA user_version = 99");
  }
  EXPECT_THROW(SqliteCheckpointStore{dir.path()}, std::runtime_error);
}

TEST(SqliteCheckpoints, AFolderThatCannotBeMadeIsNamed) {
  try {
    SqliteCheckpointStore store("/proc/nowhere");
    FAIL();
  } catch (const std::runtime_error& e) {
    EXPECT_NE(std::string(e.what()).find("/proc/nowhere"), std::string::npos);
  }
}

}  // namespace
}  // namespace meridian::checkpoint
