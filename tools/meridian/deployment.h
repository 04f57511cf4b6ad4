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

// Where a daemon is operated, host:port, and the token that it may want (common/token_file.h).
struct AdminAddress {
  std::string address;
  std::string token;  // empty for none
  [[nodiscard]] bool empty() const { return address.empty(); }
};

// Addresses are host:port; empty when the region has none.
struct Endpoints {
  std::string name;
  std::string table;
  std::string streams;
  AdminAddress admin;
  std::string peer;
  std::vector<AdminAddress> replicators;  // admin of each worker; empty when there is none
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
  std::string admin_token;         // of all daemons; a region may have another

  // Throws UsageError, naming the regions that there are.
  [[nodiscard]] const Endpoints& region(const std::string& name) const;
};

// Which deployment, as the command line says it.
struct DeploymentChoice {
  std::optional<std::string> file;  // without one, var/deployment.yaml here or in the nearest folder above
  std::optional<std::string> admin_token_file;  // of all daemons, whatever the deployment file says
};
Deployment load_deployment(const DeploymentChoice& choice);

}  // namespace meridian::cli
