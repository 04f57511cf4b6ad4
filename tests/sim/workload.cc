#include "tests/sim/workload.h"

#include <fmt/format.h>

#include <algorithm>

namespace meridian::sim {

Workload::Workload(Outside& outside, History& history,
                   std::vector<std::unique_ptr<SimClock>>& clocks, Rng rng)
    : outside_(outside),
      history_(history),
      clocks_(clocks),
      rng_(rng),
      minted_(clocks.size()),
      seen_(clocks.size(), std::vector<conflict::Version>(history.keys())),
      seen_newest_(clocks.size()) {
  for (std::uint32_t i = 0; i < history.keys(); ++i) keys_.push_back(key_of(i));
}

void Workload::start(std::int64_t until_us) {
  until_us_ = until_us;
  const LoadShape& load = outside_.shape.load;
  for (std::size_t region = 0; region < outside_.nodes.size(); ++region)
    for (std::uint32_t client = 0; client < load.clients; ++client)
      outside_.queue.after(rng_.between(0, load.think_us_max), [this, region] { next(region); });
  for (std::uint32_t i = 0; i < load.bursts; ++i) {
    std::int64_t at_ms = rng_.between(outside_.queue.now_ms() + 1, until_us / 1000);
    outside_.queue.at(at_ms * 1000, [this] { burst(); });
  }
}

std::uint32_t Workload::pick_key() {
  if (rng_.percent(outside_.shape.load.hot_percent)) return 0;
  return static_cast<std::uint32_t>(rng_.below(keys_.size()));
}

WriteKind Workload::pick_kind() {
  const LoadShape& load = outside_.shape.load;
  auto roll = static_cast<unsigned>(rng_.below(100));
  auto falls = [&roll](unsigned chance) {
    if (roll < chance) return true;
    roll -= chance;
    return false;
  };
  if (falls(load.remove_percent)) return WriteKind::remove;
  if (falls(load.append_percent)) return WriteKind::append;
  if (falls(load.insert_percent)) return WriteKind::insert;
  if (falls(load.same_percent)) return WriteKind::same;
  return WriteKind::put;
}

void Workload::next(std::size_t region) {
  if (outside_.queue.now_us() >= until_us_) return;
  write(region, pick_key(), pick_kind());
  if (outside_.nodes[region]->up())
    check_read(region, static_cast<std::uint32_t>(rng_.below(keys_.size())), {});
  std::int64_t think = rng_.between(0, outside_.shape.load.think_us_max);
  outside_.queue.after(think, [this, region] { next(region); });
}

void Workload::burst() {
  std::uint32_t key = pick_key();
  for (std::size_t region = 0; region < outside_.nodes.size(); ++region)
    write(region, key, rng_.percent(25) ? WriteKind::remove : WriteKind::put);
}

const Write* Workload::write(std::size_t region, std::uint32_t key_number, WriteKind kind) {
  SimNode& node = *outside_.nodes[region];
  if (!node.up()) return nullptr;
  Write& write = history_.begin(region, key_number, kind);
  write.seen_before = seen_newest_[region].hlc;
  outside_.trace.note("client {} {} w{} key {}", region, write_kind_name(kind), write.id,
                      key_number);
  node.write(outside_.table, keys_[key_number], write.mutation,
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
  check_version(write);
  check_read(write.region, write.key_number, write.version);
}

void Workload::check_version(const Write& write) {
  if (write.version.region != outside_.nodes[write.region]->region())
    outside_.findings.add("P6", "the version names another region: " + describe(write));
  conflict::Version& newest = minted_[write.region];
  if (!(newest.hlc < write.version.hlc))
    outside_.findings.add(
        "P6", fmt::format("{} is not above {}", describe(write), conflict::to_text(newest)));
  newest = std::max(newest, write.version);
  if (!(write.seen_before < write.version.hlc))
    outside_.findings.add("P6", "not above what its region had shown: " + describe(write));
}

void Workload::check_read(std::size_t region, std::uint32_t key_number,
                          const conflict::Version& least) {
  conflict::Version& seen = seen_[region][key_number];
  auto row = outside_.nodes[region]->reader().get_row(outside_.table, keys_[key_number]);
  conflict::Version now = row ? row->version : conflict::Version{};
  if (now < seen || now < least)
    outside_.findings.add(
        "read", fmt::format("key {} in region {} is at {} after {} was seen", key_number, region,
                            row ? conflict::to_text(now) : "nothing",
                            conflict::to_text(std::max(seen, least))));
  seen = std::max(seen, now);
  seen_newest_[region] = std::max(seen_newest_[region], now);
}

void Workload::give_up_waiting() {
  for (WriteId id = 0; id < history_.writes().size(); ++id)
    if (history_.write(id).state == WriteState::pending)
      history_.write(id).state = WriteState::unknown;
}

}  // namespace meridian::sim
