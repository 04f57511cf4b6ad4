// kill -9 in the middle of it: every acknowledged write is there afterwards, and the file is sound.
#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <map>
#include <sstream>

#include "region-node/store/sqlite_store.h"
#include "tests/component/store/fixture.h"

namespace meridian::store {
namespace {

constexpr int kRounds = 20;
constexpr int kKeys = 40;

StoreOptions crash_options(const std::string& directory) {
  StoreOptions options;
  options.data_dir = directory;
  options.region = kHere;
  options.cache_bytes = 8 << 20;
  options.wal_checkpoint_pages = 60;  // so that kills fall into checkpoints as well
  // Each start puts the clock's ceiling 100 ms ahead, and here starts follow each other at once.
  options.drift_ms_max = 60'000;
  return options;
}

// The child: writes keys round and round, and says everything that was acknowledged on the pipe as
// "key hlc value\n" (one write each, so a line is whole or absent); value is -1 for a delete.
[[noreturn]] void write_until_killed(const std::string& directory, TableId id, int first, int out) {
  SystemClock clock;
  SqliteStore store(crash_options(directory), clock, Rng::from_system());
  for (int i = first;; ++i) {
    auto pk = "k" + std::to_string(i % kKeys);
    auto value = std::to_string(i);
    std::shared_ptr<ItemMutation> mutation;
    bool removes = i % 11 == 0;
    if (removes) {
      mutation = std::make_shared<RemoveItem>();
    } else {
      mutation = std::make_shared<PutImage>(image_of(pk, value + std::string(600, '.')));
    }
    store.write({id, key_of(pk), mutation, [pk, value, removes, out](const WriteResult& result) {
                   if (result.status != WriteStatus::committed) return;
                   auto line = pk + " " + std::to_string(result.version.hlc.value) + " " +
                               (removes ? "-1" : value) + "\n";
                   if (::write(out, line.data(), line.size()) < 0) _exit(1);
                 }});
    if (i % 64 == 0) usleep(300);
  }
}

struct Said {
  std::uint64_t hlc = 0;
  int value = 0;
};

// The last that the child said of each key, until it is killed and the pipe is empty.
std::map<std::string, Said> read_until_killed(pid_t child, int in, Rng& rng) {
  std::string text;
  char buffer[4096];
  auto kill_after_bytes = static_cast<std::size_t>(rng.between(1, 40'000));
  bool killed = false;
  while (true) {
    ssize_t got = ::read(in, buffer, sizeof buffer);
    if (got <= 0) break;
    text.append(buffer, static_cast<std::size_t>(got));
    if (!killed && text.size() >= kill_after_bytes) {
      usleep(static_cast<useconds_t>(rng.between(0, 3000)));
      ::kill(child, SIGKILL);
      killed = true;
    }
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  EXPECT_TRUE(killed) << "the child ended by itself";
  std::map<std::string, Said> last;
  std::istringstream lines(text.substr(0, text.rfind('\n') + 1));
  std::string pk;
  for (Said said; lines >> pk >> said.hlc >> said.value;) last[pk] = said;
  return last;
}

// The number that an image carries; -1 for a tombstone.
int number_in(const std::optional<Bytes>& image) {
  if (!image) return -1;
  auto item = model::decode_image(*image);
  return item ? std::stoi(item->at("value").as<model::StringValue>()->text) : -2;
}

TEST(CrashTest, EveryAcknowledgedWriteSurvivesKill9) {
  TempDir dir;
  auto directory = dir.path() + "/data";
  SystemClock clock;
  TableId id;
  {
    InlineStore store(crash_options(directory), clock, Rng(1));
    TableSpec spec;
    spec.name = "T";
    spec.keys = schema();
    spec.shards = 2;
    spec.stream = model::StreamViewType::NEW_AND_OLD_IMAGES;
    store.create_table(spec, [&](ControlResult result) { id = (*result)->id; });
    store.run_pending();
  }
  Rng rng(20261121);
  int next = 1;
  conflict::Version newest;
  std::map<std::string, Said> acknowledged;
  for (int round = 0; round < kRounds; ++round) {
    int pipe_ends[2];
    ASSERT_EQ(::pipe2(pipe_ends, O_CLOEXEC), 0);
    pid_t child = ::fork();
    ASSERT_GE(child, 0);
    if (child == 0) {
      ::close(pipe_ends[0]);
      write_until_killed(directory, id, next, pipe_ends[1]);
    }
    ::close(pipe_ends[1]);
    for (const auto& [pk, said] : read_until_killed(child, pipe_ends[0], rng))
      acknowledged[pk] = said;
    ::close(pipe_ends[0]);

    for (const auto& problem : check_store_invariants(directory + "/store.db"))
      ADD_FAILURE() << "round " << round << ": " << problem;
    InlineStore store(crash_options(directory), clock, Rng(static_cast<std::uint64_t>(round) + 2));
    auto reader = store.open_reader();
    for (const auto& [pk, said] : acknowledged) {
      auto row = reader->get_row(id, key_of(pk));
      ASSERT_TRUE(row.has_value()) << pk;
      newest = std::max(newest, row->version);
      // A later write may have been committed and its answer lost with the child.
      EXPECT_GE(row->version.hlc.value, said.hlc) << "round " << round << " " << pk;
      if (row->version.hlc.value == said.hlc) {
        EXPECT_EQ(number_in(row->image), said.value) << "round " << round << " " << pk;
      }
    }
    // Versions go on above everything that was ever given out.
    std::optional<WriteResult> result;
    store.write({id, key_of("probe"),
                 std::make_shared<PutImage>(image_of("probe", std::to_string(round))),
                 [&](const WriteResult& r) { result = r; }});
    store.run_pending();
    ASSERT_EQ(result->status, WriteStatus::committed);
    EXPECT_GT(result->version, newest);
    newest = result->version;
    next += 100'000;
  }
}

}  // namespace
}  // namespace meridian::store
