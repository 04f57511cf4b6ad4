#include "tools/meridian/drill/operator.h"

#include "tools/meridian/client.h"
#include "tools/meridian/output.h"

namespace meridian::drill {

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

void Operator::kill(const std::string& region, Daemon daemon) {
  killed_.emplace(region, daemon);
  host_->kill(region, daemon);
}

void Operator::start(const std::string& region, Daemon daemon) {
  host_->start(region, daemon);
  killed_.erase({region, daemon});
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
  for (const auto& address : {source.admin, source.replicator_admin}) {
    if (address.empty()) continue;
    http::HttpClient client(address, cli::kFetchMsMax);
    auto answer = cli::post(client, "/v1/links/" + to + "/" + query);
    if (!answer.body && must)
      throw OperatorError("the link from " + from + " to " + to +
                          " cannot be broken: " + answer.problem);
  }
}

void Operator::undo() {
  // Nodes before replicators, as deploy/up does.
  while (!killed_.empty()) start(killed_.begin()->first, killed_.begin()->second);
  while (!faulty_.empty()) heal(faulty_.begin()->first, faulty_.begin()->second);
}

}  // namespace meridian::drill
