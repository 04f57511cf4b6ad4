// The daemons of a run: a temporary directory with the settings and data of each region, and the
// real region-node and replicator processes.
//
// Threads: main.
// Owns: WorkDir its directory (removed at the end), a Daemon its process.
// Errors: std::runtime_error.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "tools/bench/options.h"
#include "tools/bench/process.h"

namespace meridian::bench {

class WorkDir {
 public:
  // Made in `parent`, or in the system's folder for temporary files unless that lives in memory, or
  // else beside this program.
  explicit WorkDir(const std::string& parent);
  ~WorkDir();
  WorkDir(const WorkDir&) = delete;
  WorkDir& operator=(const WorkDir&) = delete;
  [[nodiscard]] const std::string& path() const { return path_; }
  // False when the file system lives in memory, so that a sync costs nothing.
  [[nodiscard]] bool durable() const;
  // Until everything that was written there is on the disk, so that it does not burden what follows.
  void settle() const;

 private:
  std::string path_;
};

struct RegionPorts {
  std::string region;
  std::uint16_t table = 0;
  std::uint16_t streams = 0;
  std::uint16_t admin = 0;
  std::uint16_t peer = 0;
  std::uint16_t replicator = 0;
};
RegionPorts draw_ports(const std::string& region);

// A process with its settings file.
class Daemon {
 public:
  // `admin`: where it answers /readyz.
  Daemon(const std::string& program, const std::string& folder, const std::string& settings,
         std::string admin);
  void start();
  void stop() { process_.stop(); }
  Process& process() { return process_; }

 private:
  const std::string admin_;
  Process process_;
};

// `peers`: the other regions.  `more`: further settings, as lines of YAML.
Daemon make_node(const Options& options, const WorkDir& dir, const RegionPorts& self,
                 const std::vector<RegionPorts>& peers, const std::string& more = "");
Daemon make_replicator(const WorkDir& dir, const RegionPorts& self,
                       const std::vector<RegionPorts>& peers);

// What a node has committed since its start.
struct NodeCounters {
  std::uint64_t commits = 0;
  std::uint64_t records = 0;  // replicated ones: applied, stale and duplicate
};
NodeCounters node_counters(std::uint16_t admin_port);

}  // namespace meridian::bench
