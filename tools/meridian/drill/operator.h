// Operator: what a drill does to a deployment: ends and starts daemons, and has links broken.
// Everything that it did, it can undo, and its destructor does.
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

namespace meridian::drill {

class OperatorError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

enum class Daemon { node, replicator };
std::string name_of(Daemon daemon);  // "region-node", "replicator"

// Where daemons run.
class Host {
 public:
  virtual ~Host() = default;
  // Throws when the daemon cannot be ended from here.
  virtual void check(const std::string& region, Daemon daemon) = 0;
  virtual void kill(const std::string& region, Daemon daemon) = 0;
  virtual void start(const std::string& region, Daemon daemon) = 0;
};
std::unique_ptr<Host> host_of(const cli::Deployment& deployment);

struct Fault {
  std::string kind;   // cut, pause, delay, limit
  std::string extra;  // "&delay_ms=200&jitter_ms=50"
};

class Operator {
 public:
  explicit Operator(const cli::Deployment& deployment);
  // Undoes what is left; what cannot be undone is said on standard error.
  ~Operator();

  void check(const std::string& region, Daemon daemon) { host_->check(region, daemon); }
  void kill(const std::string& region, Daemon daemon);
  void start(const std::string& region, Daemon daemon);
  // A fault of the link from `from` to `to`; it also ends by itself after `for_ms`.
  void fault(const std::string& from, const std::string& to, const Fault& fault,
             std::int64_t for_ms);
  void heal(const std::string& from, const std::string& to);
  void undo();

 private:
  void tell(const std::string& from, const std::string& to, const std::string& query, bool must);

  const cli::Deployment& deployment_;
  std::unique_ptr<Host> host_;
  std::set<std::pair<std::string, Daemon>> killed_;
  std::set<std::pair<std::string, std::string>> faulty_;
};

}  // namespace meridian::drill
