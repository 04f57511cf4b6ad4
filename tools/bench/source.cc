#include "tools/bench/source.h"

#include <future>
#include <stdexcept>

#include "common/log.h"
#include "tools/bench/ports.h"
#include "tools/bench/rows.h"

namespace meridian::bench {
namespace {

constexpr std::int64_t kLinkMsMax = 20'000;
constexpr std::int64_t kRetryUs = 100'000;

store::StoreOptions store_options(const Options& options, const WorkDir& dir,
                                  const RegionPorts& self) {
  store::StoreOptions out;
  out.data_dir = dir.path() + "/" + self.region + "/data";
  out.region = RegionId::of(self.region);
  out.shards = options.shards;
  // The bench may well run far ahead of a sink that it is about to stop.
  out.unacknowledged_bytes_max = std::uint64_t{1} << 40;
  return out;
}

peer::PeerOptions peer_options(const RegionPorts& self, const std::vector<RegionPorts>& peers) {
  peer::PeerOptions out{.address = loopback(self.peer), .peers = {}};
  for (const auto& peer : peers)
    out.peers.emplace_back(RegionId::of(peer.region), loopback(peer.peer));
  return out;
}

}  // namespace

Source::Source(const Options& options, const WorkDir& dir, const RegionPorts& self,
               const std::vector<RegionPorts>& peers)
    : store_(store_options(options, dir, self), clock_, Rng::from_system()),
      peer_(store_, clock_, Rng::from_system(), Logger(make_stderr_sink(LogLevel::error)),
            peer_options(self, peers)) {
  peer_.start();
}

Source::~Source() {
  peer_.stop();
  store_.stop();
}

store::TablePtr Source::create_table(const std::string& name,
                                     const std::vector<std::string>& regions) {
  store::TableSpec spec;
  spec.name = name;
  spec.keys = row_schema();
  spec.stream = model::StreamViewType::NEW_AND_OLD_IMAGES;
  std::promise<store::TablePtr> made;
  store_.create_table(spec, [&made](store::ControlResult result) {
    made.set_value(result.ok() ? *result : nullptr);
  });
  store::TablePtr table = made.get_future().get();
  if (!table) throw std::runtime_error("cannot create table " + name);
  for (const auto& region : regions) {
    // The link may still be dialling.
    std::int64_t deadline_ms = clock_.monotonic_ms() + kLinkMsMax;
    for (std::string refusal = add_replica(table, region); !refusal.empty();
         refusal = add_replica(table, region)) {
      if (clock_.monotonic_ms() > deadline_ms)
        throw std::runtime_error("cannot make a replica of " + name + ": " + refusal);
      pause_us(kRetryUs);
    }
    table = store_.catalog()->find(table->id);
  }
  return table;
}

std::string Source::add_replica(const store::TablePtr& table, const std::string& region) {
  std::promise<std::string> said;
  peer_.control().create_replica(table, RegionId::of(region), [&said](auto result) {
    said.set_value(result.ok() ? "" : result.error().message);
  });
  return said.get_future().get();
}

}  // namespace meridian::bench
