// Regions: the regions of one global table, each with its real region-node and replicator, as the large
// runs need them: filled fast, killed and started again, with links that are cut, and compared by
// `meridian verify`.
//
// Threads: main.
// Owns: a Region its processes.
// Errors: std::runtime_error, with the last log lines of a process that has ended.
#pragma once

#include <boost/json/object.hpp>
#include <cstdint>
#include <string>
#include <vector>

#include "tools/bench/daemons.h"
#include "tools/bench/options.h"

namespace meridian::bench {

struct Region {
  // `settings`: further ones of the node, as lines of YAML.
  Region(const Options& options, const WorkDir& dir, const RegionPorts& own,
         const std::vector<RegionPorts>& peers, const std::string& settings = "");
  void start();
  void stop();
  // kill -9 of both.
  void kill();
  void check_alive();

  const RegionPorts ports;
  Daemon node;
  Daemon replicator;
};

// An answer of DynamoDB's API at a table endpoint.
boost::json::object table_call(std::uint16_t port, const std::string& operation,
                               const std::string& body);
// A page of an admin endpoint.
boost::json::object admin_page(std::uint16_t port, const std::string& target);
void admin_post(std::uint16_t port, const std::string& target);

// What happens on the link between two regions, in both directions, at all daemons of both.
void cut_link(const Region& one, const Region& other);
void heal_link(const Region& one, const Region& other);

// Makes the table (requests.h) with `rows` rows in all `regions`, none of which runs yet, and starts them
// with it.  The first is hosted by this process while it is fed, below HTTP; its daemons take its files
// over afterwards.
void create_filled(const Options& options, const WorkDir& dir, const std::vector<Region*>& regions,
                   std::uint64_t rows);

// `meridian verify` over some regions: its report, and how long it took.
struct Verified {
  boost::json::object report;
  bool identical = false;
  std::uint64_t items = 0;
  std::uint64_t differing = 0;
  double seconds = 0;
};
Verified run_verify(const WorkDir& dir, const std::vector<Region*>& regions,
                    const std::vector<std::string>& arguments = {});

}  // namespace meridian::bench
