#include "tests/sim/workload.h"

#include <fmt/format.h>

#include <algorithm>

namespace meridian::sim {

Workload::Workload(Outside& outside, History& history,
                   std::vector<std::unique_ptr<SimClock>>& clocks)
    : outside_(outside),
      history_(history),
      clocks_(clocks),
      minted_(clocks.size()),
      seen_(clocks.size(), std::vector<conflict::Version>(history.keys())),
      seen_newest_(clocks.size()) {
  for (std::uint32_t i = 0; i < history.keys(); ++i) keys_.push_back(key_of(i));
}

void Workload::run(const Event& event) {
  std::size_t region = event.region();
  if (region >= outside_.nodes.size()) return;
  auto key = static_cast<std::uint32_t>(event.args[1]) % static_cast<std::uint32_t>(keys_.size());
  auto kind = static_cast<WriteKind>(event.kind);
  write(region, key, kind, static_cast<std::size_t>(event.args[2]));
  // Some other key, as good as drawn.
  auto other = static_cast<std::uint32_t>(luck_of(event.at_us) % keys_.size());
  if (outside_.nodes[region]->up()) check_read(region, other, {});
}

const Write* Workload::write(std::size_t region, std::uint32_t key_number, WriteKind kind,
                             std::size_t bytes) {
  SimNode& node = *outside_.nodes[region];
  if (!node.up()) return nullptr;
  Write& write = history_.begin(region, key_number, kind, bytes);
  write.seen_before = seen_newest_[region].hlc;
  outside_.trace.note("client {} {} w{} key {}", region, write_kind_name(kind), write.id,
                      key_number);
  node.write(outside_.table_of(key_number), keys_[key_number], write.mutation,
             [this, id = write.id](const store::WriteResult& result) { answered(id, result); });
  return &write;
}

void Workload::answered(WriteId id, const store::WriteResult& result) {
  Write& write = history_.write(id);
  outside_.trace.note("client {} w{} status {} hlc {:x}", write.region, id,
                      static_cast<int>(result.status), result.version.hlc.value);
  switch (result.status) {
    case store::WriteStatus::committed: break;
    case store::WriteStatus::rejected: write.state = WriteState::rejected; return;
    case store::WriteStatus::unavailable: write.state = WriteState::unknown; return;
    default: write.state = WriteState::refused; return;
  }
  history_.acknowledge(write, result.version, outside_.queue.now_us(),
                       clocks_[write.region]->wall_us());
  if (outside_.nodes[write.region]->disk().sync_failed())
    outside_.findings.add("disk", "acknowledged after a sync that failed: " + describe(write));
  SimNode& node = *outside_.nodes[write.region];
  auto table = node.store().catalog()->find(outside_.table_of(write.key_number));
  if (!table || !table->serves(node.region()))
    outside_.findings.add("P14", "taken by a replica that is not whole: " + describe(write));
  check_version(write);
  check_barriers(write);
  check_read(write.region, write.key_number, write.version);
}

// Whoever says that it has everything from here up to a time has been told that nothing follows.  (By a
// region that was restored since, and cannot know it before a peer has told it and it lives another life.)
void Workload::check_barriers(const Write& write) {
  const RegionId& origin = write.version.region;
  const TableId& id = outside_.table_of(write.key_number);
  auto life = [&](SimNode& node) {
    return node.life_of(id, origin).value_or(conflict::Version{});
  };
  if (outside_.is_unaware(write.region, id)) return;
  auto own = life(*outside_.nodes[write.region]);
  for (const auto& other : outside_.nodes) {
    if (!other->up() || other->region() == origin) continue;
    // (Of a life before this one, whose end has not been heard of, it says something else.)
    if (life(*other) != own) continue;
    auto claimed = other->reader().watermarks(outside_.table_of(write.key_number));
    auto claim = claimed.find(write.version.region);
    if (claim != claimed.end() && write.version.hlc <= claim->second)
      outside_.findings.add("P6", fmt::format("{} lies below {:x}, up to where {} has everything",
                                              describe(write), claim->second.value,
                                              other->region().name()));
  }
}

void Workload::check_version(const Write& write) {
  if (write.version.region != outside_.nodes[write.region]->region())
    outside_.findings.add("P6", "the version names another region: " + describe(write));
  conflict::Version& newest = minted_[write.region];
  if (!(newest.hlc < write.version.hlc))
    outside_.findings.add(
        "P6", fmt::format("{} is not above {}", describe(write), conflict::to_text(newest)));
  newest = std::max(newest, write.version);
  // (Operations are answered in the order in which they were done.)
  conflict::Hlc told = outside_.nodes[write.region]->told_barrier();
  if (!(told < write.version.hlc))
    outside_.findings.add("P6", fmt::format("{} comes after a barrier of {:x}", describe(write),
                                            told.value));
  if (!(write.seen_before < write.version.hlc))
    outside_.findings.add("P6", "not above what its region had shown: " + describe(write));
}

void Workload::check_read(std::size_t region, std::uint32_t key_number,
                          const conflict::Version& least) {
  conflict::Version& seen = seen_[region][key_number];
  store::Reader& reader = outside_.nodes[region]->reader();
  auto row = reader.get_row(outside_.table_of(key_number), keys_[key_number]);
  // What is gone counts as a tombstone of the version up to which they are collected.
  conflict::Hlc collected = reader.collected(outside_.table_of(key_number));
  conflict::Version now;
  if (collected > conflict::Hlc{}) now = {collected, RegionId::of("zzzzzzzzzzzzzzzzzzzzzz")};
  if (row) now = row->version;
  if (now < seen || now < least)
    outside_.findings.add(
        "read", fmt::format("key {} in region {} is at {} after {} was seen", key_number, region,
                            row ? conflict::to_text(now) : "nothing",
                            conflict::to_text(std::max(seen, least))));
  seen = std::max(seen, now);
  seen_newest_[region] = std::max(seen_newest_[region], now);
}

void Workload::region_forgot(std::size_t region) {
  minted_[region] = {};
  outside_.nodes[region]->forget_barriers();
  seen_newest_[region] = {};
  for (auto& seen : seen_[region]) seen = {};
  for (WriteId id = 0; id < history_.writes().size(); ++id) {
    Write& write = history_.write(id);
    if (write.region == region) write.origin_forgot = true;
    // (What another region has written is on its own disk, whether or not it is up.)
    if (write.state == WriteState::acknowledged && write.origin_forgot && !held_somewhere(write))
      history_.forfeit(write);
  }
}

bool Workload::held_somewhere(const Write& write) const {
  for (const auto& node : outside_.nodes) {
    const TableId& table = outside_.table_of(write.key_number);
    if (!node->up() || !node->store().catalog()->find(table)) continue;
    auto row = node->reader().get_row(table, keys_[write.key_number]);
    bool held = row ? row->version >= write.version
                    : write.version.hlc <= node->reader().collected(table);
    if (held) return true;
  }
  return false;
}

void Workload::give_up_waiting() {
  for (WriteId id = 0; id < history_.writes().size(); ++id)
    if (history_.write(id).state == WriteState::pending)
      history_.write(id).state = WriteState::unknown;
}

}  // namespace meridian::sim
