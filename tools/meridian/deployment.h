// Where the regions of a deployment are: read from deployment.yaml, which deploy/up writes.
//
// Threads: value types.  Errors: UsageError, saying where was looked and what to do.
#pragma once

#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

namespace meridian::cli {

// The command cannot be carried out as it was given; exit code 2.
class UsageError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

// Addresses are host:port; empty when the region has none.
struct Endpoints {
  std::string name;
  std::string table;
  std::string streams;
  std::string admin;
  std::string peer;
  std::vector<std::string> replicators;  // admin of each worker; empty when there is none
};

// How docker-compose is told about a deployment in containers.
struct Compose {
  std::vector<std::string> command;  // {"docker", "compose"} or {"docker-compose"}
  std::string project;
  std::string file;
};

struct Deployment {
  std::string path;
  std::vector<Endpoints> regions;
  std::optional<Compose> compose;  // empty for processes of this machine

  // Throws UsageError, naming the regions that there are.
  [[nodiscard]] const Endpoints& region(const std::string& name) const;
};

// Reads `path`; without one, var/deployment.yaml of this folder or the nearest one above it.
Deployment load_deployment(const std::optional<std::string>& path);

}  // namespace meridian::cli
