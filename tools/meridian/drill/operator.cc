#include "tools/meridian/drill/operator.h"

#include "tools/meridian/client.h"
#include "tools/meridian/drill/full_disk.h"
#include "tools/meridian/output.h"

namespace meridian::drill {
namespace {

// A busy machine is no reason to end a drill, or to leave a fault to its own end.
constexpr std::int64_t kTellMsMax = 10'000;

}  // namespace

std::vector<std::string> names_of(const cli::Endpoints& region, Daemon daemon) {
  if (daemon == Daemon::node) return {"region-node"};
  std::vector<std::string> out{"replicator"};
  for (std::size_t worker = 2; worker <= region.replicators.size(); ++worker)
    out.push_back("replicator-" + std::to_string(worker));
  return out;
}

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

std::string label(const std::string& region, const std::string& name) {
  return region + "/" + name;
}

}  // namespace

void Operator::be_guarded() {
  // Nodes before replicators: "region-node" sorts before "replicator".
  guard_ = std::make_unique<Guard>([this](const std::string& what) {
    auto slash = what.rfind('/');
    host_->start(what.substr(0, slash), what.substr(slash + 1));
  });
}

std::vector<std::string> Operator::names(const std::string& region, Daemon daemon) const {
  return names_of(deployment_.region(region), daemon);
}

void Operator::check(const std::string& region, Daemon daemon) {
  for (const auto& name : names(region, daemon)) host_->check(region, name);
}

void Operator::kill(const std::string& region, Daemon daemon) {
  for (const auto& name : names(region, daemon)) {
    killed_.emplace(region, name);
    if (guard_) guard_->down(label(region, name));
    host_->kill(region, name);
  }
}

void Operator::start(const std::string& region, Daemon daemon) {
  for (const auto& name : names(region, daemon)) start(region, name);
}

void Operator::start(const std::string& region, const std::string& name) {
  host_->start(region, name);
  killed_.erase({region, name});
  if (guard_) guard_->up(label(region, name));
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
  std::vector<cli::AdminAddress> daemons = source.replicators;
  daemons.insert(daemons.begin(), source.admin);
  for (const auto& address : daemons)
    if (!address.empty())
      post(address, "/v1/links/" + to + "/" + query,
           "the link from " + from + " to " + to + " cannot be broken", must);
}

void Operator::post(const cli::AdminAddress& address, const std::string& target,
                    const std::string& what, bool must) {
  cli::AdminClient client(address, kTellMsMax);
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
  std::string problems;
  auto attempt = [&problems](auto&& what) {
    try {
      what();
    } catch (const std::exception& failure) {
      problems += std::string(problems.empty() ? "" : "; ") + failure.what();
    }
  };
  // Nodes before replicators, as deploy/up does.
  for (const auto& [region, name] : std::set(killed_)) attempt([&] { start(region, name); });
  full_.clear();
  for (const auto& region : std::set(shifted_)) attempt([&] { shift_clock(region, 0, 1); });
  for (const auto& [from, to] : std::set(faulty_)) attempt([&] { heal(from, to); });
  if (!problems.empty()) throw OperatorError(problems);
}

}  // namespace meridian::drill
