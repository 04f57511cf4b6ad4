// Pair: two regions of a global table: the source in this process, the sink a real region-node, and
// a real replicator for each.
//
// Threads: main.
// Errors: std::runtime_error, with the last log lines of a process that has ended.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "region-node/store/store.h"
#include "tools/bench/daemons.h"
#include "tools/bench/options.h"
#include "tools/bench/report.h"
#include "tools/bench/source.h"

namespace meridian::bench {

class Pair {
 public:
  // `sink_settings`: further ones of the sink's node, as lines of YAML.
  Pair(const Options& options, const WorkDir& dir, const std::string& sink_settings = "");
  ~Pair();
  Pair(const Pair&) = delete;
  Pair& operator=(const Pair&) = delete;

  store::TablePtr create_table(const std::string& name);
  // Of the source's region: between the two, what is written there waits.
  void stop_replicator() { source_replicator_.stop(); }
  void start_replicator();

  NodeCounters sink();
  // Waits until the sink has made so many records durable.
  void wait_for(std::uint64_t records);
  // The costs of all processes so far, and what has come since.
  [[nodiscard]] std::vector<Cost> costs();
  [[nodiscard]] std::vector<Cost> costs_since(const std::vector<Cost>& before);

  Source& source() { return source_; }
  [[nodiscard]] const RegionPorts& source_ports() const { return source_ports_; }
  [[nodiscard]] const RegionPorts& sink_ports() const { return sink_ports_; }

 private:
  const Options& options_;
  const RegionPorts source_ports_;
  const RegionPorts sink_ports_;
  Daemon sink_node_;
  Source source_;
  Daemon source_replicator_;
  Daemon sink_replicator_;
};

}  // namespace meridian::bench
