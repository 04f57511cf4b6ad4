#include "tools/meridian/drill/operator.h"

#include "tools/meridian/client.h"
#include "tools/meridian/drill/full_disk.h"
#include "tools/meridian/output.h"

namespace meridian::drill {
namespace {

// A busy machine is no reason to end a drill, or to leave a fault to its own end.
constexpr std::int64_t kTellMsMax = 10'000;

}  // namespace

std::string name_of(Daemon daemon) { return daemon == Daemon::node ? "region-node" : "replicator"; }

Operator::Operator(const cli::Deployment& deployment)
    : deployment_(deployment), host_(host_of(deployment)) {}

Operator::~Operator() {
  try {
    undo();
  } catch (const std::exception& failure) {
    cli::progress(std::string("could not undo everything: ") + failure.what());
  }
}

namespace {

std::string label(const std::string& region, Daemon daemon) {
  return region + "/" + name_of(daemon);
}

}  // namespace

void Operator::be_guarded() {
  // Nodes before replicators: "region-node" sorts before "replicator".
  guard_ = std::make_unique<Guard>([this](const std::string& what) {
    auto slash = what.rfind('/');
    bool node = what.substr(slash + 1) == name_of(Daemon::node);
    host_->start(what.substr(0, slash), node ? Daemon::node : Daemon::replicator);
  });
}

void Operator::kill(const std::string& region, Daemon daemon) {
  killed_.emplace(region, daemon);
  if (guard_) guard_->down(label(region, daemon));
  host_->kill(region, daemon);
}

void Operator::start(const std::string& region, Daemon daemon) {
  host_->start(region, daemon);
  killed_.erase({region, daemon});
  if (guard_) guard_->up(label(region, daemon));
}

void Operator::fault(const std::string& from, const std::string& to, const Fault& fault,
                     std::int64_t for_ms) {
  faulty_.emplace(from, to);
  tell(from, to, fault.kind + "?for_ms=" + std::to_string(for_ms) + fault.extra, true);
}

void Operator::heal(const std::string& from, const std::string& to) {
  // A daemon that is down has no faults: it forgets them when it ends.
  tell(from, to, "heal", false);
  faulty_.erase({from, to});
}

void Operator::tell(const std::string& from, const std::string& to, const std::string& query,
                    bool must) {
  const auto& source = deployment_.region(from);
  std::vector<std::string> daemons = source.replicators;
  daemons.insert(daemons.begin(), source.admin);
  for (const auto& address : daemons)
    if (!address.empty())
      post(address, "/v1/links/" + to + "/" + query,
           "the link from " + from + " to " + to + " cannot be broken", must);
}

void Operator::post(const std::string& address, const std::string& target, const std::string& what,
                    bool must) {
  http::HttpClient client(address, kTellMsMax);
  auto answer = cli::post(client, target);
  if (!answer.body && must) throw OperatorError(what + ": " + answer.problem);
}

void Operator::shift_clock(const std::string& region, std::int64_t by_ms, std::int64_t for_ms) {
  if (by_ms != 0) shifted_.insert(region);
  post(deployment_.region(region).admin,
       "/v1/clock/shift?by_ms=" + std::to_string(by_ms) + "&for_ms=" + std::to_string(for_ms),
       "the clock of " + region + " cannot be set off", by_ms != 0);
  if (by_ms == 0) shifted_.erase(region);
}

void Operator::check_disk(const std::string& region) {
  FullDisk::check(host_->shell(region), host_->data_dir(region));
}

void Operator::fill_disk(const std::string& region) {
  full_[region] = std::make_unique<FullDisk>(host_->shell(region), host_->data_dir(region));
}

void Operator::free_disk(const std::string& region) { full_.erase(region); }

void Operator::undo() {
  // Nodes before replicators, as deploy/up does.
  while (!killed_.empty()) start(killed_.begin()->first, killed_.begin()->second);
  full_.clear();
  while (!shifted_.empty()) shift_clock(*shifted_.begin(), 0, 1);
  while (!faulty_.empty()) heal(faulty_.begin()->first, faulty_.begin()->second);
}

}  // namespace meridian::drill
