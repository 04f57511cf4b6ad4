// Operator: what a drill does to a deployment: ends and starts daemons, has links broken, clocks
// set off and disks filled.  Everything that it did, it can undo, and its destructor does; should the
// process be killed, each fault ends by itself, or the guard undoes it (guard.h).
//
// A local deployment's daemons are found by the pid files beside the deployment file, and started
// again with the command line that they ran with.  A deployment in containers (`compose` in the
// deployment file) is told through docker-compose.
//
// Threads: one.  Errors: OperatorError.
#pragma once

#include <map>
#include <memory>
#include <set>
#include <stdexcept>
#include <string>
#include <vector>

#include "tools/meridian/deployment.h"
#include "tools/meridian/drill/guard.h"

namespace meridian::drill {

class OperatorError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

// Holds a region's disk full until it is destroyed, or its process is gone for whatever reason.
class FullDisk;

// The region's node, or all of its replicators: workers share the region's shards, and those that are
// left would go on with all of them.
enum class Daemon { node, replicator };
// The processes that this is in a region, as their files are named: "region-node"; "replicator",
// "replicator-2" and so on, one for each worker.
std::vector<std::string> names_of(const cli::Endpoints& region, Daemon daemon);

// Where daemons run.  `name`: one of names_of().
class Host {
 public:
  virtual ~Host() = default;
  // Throws when the daemon cannot be ended from here.
  virtual void check(const std::string& region, const std::string& name) = 0;
  virtual void kill(const std::string& region, const std::string& name) = 0;
  virtual void start(const std::string& region, const std::string& name) = 0;
  // The words that run a shell where the region's data lies, and the folder of the data.
  virtual std::vector<std::string> shell(const std::string& region) = 0;
  virtual std::string data_dir(const std::string& region) = 0;
};
std::unique_ptr<Host> host_of(const cli::Deployment& deployment);

struct Fault {
  std::string kind;   // cut, pause, delay, lose, limit
  std::string extra;  // "&delay_ms=200&jitter_ms=50"
};

class Operator {
 public:
  explicit Operator(const cli::Deployment& deployment);
  // Undoes what is left; what cannot be undone is said on standard error.
  ~Operator();

  void check(const std::string& region, Daemon daemon);
  void kill(const std::string& region, Daemon daemon);
  void start(const std::string& region, Daemon daemon);
  // A fault of the link from `from` to `to`; it also ends by itself after `for_ms`.
  void fault(const std::string& from, const std::string& to, const Fault& fault,
             std::int64_t for_ms);
  void heal(const std::string& from, const std::string& to);
  // Sets the region's wall clock off; it is right again after `for_ms`.  0 puts it right.
  void shift_clock(const std::string& region, std::int64_t by_ms, std::int64_t for_ms);
  // Throws when the region's data does not lie on a small file system of its own.
  void check_disk(const std::string& region);
  void fill_disk(const std::string& region);
  void free_disk(const std::string& region);
  void undo();
  // From now on a process of its own starts what is down, should this one be killed.
  // REQUIRES: this process has one thread.
  void be_guarded();

 private:
  [[nodiscard]] std::vector<std::string> names(const std::string& region, Daemon daemon) const;
  void start(const std::string& region, const std::string& name);
  void post(const cli::AdminAddress& address, const std::string& target, const std::string& what,
            bool must);
  void tell(const std::string& from, const std::string& to, const std::string& query, bool must);

  const cli::Deployment& deployment_;
  std::unique_ptr<Host> host_;
  std::set<std::pair<std::string, std::string>> killed_;  // region, name
  std::set<std::pair<std::string, std::string>> faulty_;
  std::set<std::string> shifted_;
  std::map<std::string, std::unique_ptr<FullDisk>> full_;
  std::unique_ptr<Guard> guard_;
};

}  // namespace meridian::drill
