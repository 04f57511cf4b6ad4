#include "checkpoint/open.h"

#include <filesystem>

#include "checkpoint/sqlite_store.h"

namespace meridian::checkpoint {
namespace {

// With its journal, which would else be played into the new database.
std::string move_aside(const std::string& folder, const Clock& clock) {
  namespace fs = std::filesystem;
  auto file = fs::path(folder) / kFileName;
  auto aside = file;
  aside += ".damaged-" + std::to_string(clock.wall_ms());
  fs::rename(file, aside);
  auto journal = file;
  journal += "-journal";
  if (fs::exists(journal)) {
    auto journal_aside = aside;
    fs::rename(journal, journal_aside += "-journal");
  }
  return aside.string();
}

std::unique_ptr<CheckpointStore> open_and_read(const std::string& folder) {
  auto store = std::make_unique<SqliteCheckpointStore>(folder);
  store->load_all();
  return store;
}

}  // namespace

std::unique_ptr<CheckpointStore> open_checkpoints(const std::string& folder, const Clock& clock,
                                                  const Logger& log) {
  try {
    return open_and_read(folder);
  } catch (const sqlite::SqliteError& failure) {
    if (!failure.is_damage()) throw;
    auto aside = move_aside(folder, clock);
    log.error("checkpoints_damaged", "reason=\"{}\" kept_as={}", failure.what(), aside);
  }
  return open_and_read(folder);
}

}  // namespace meridian::checkpoint
