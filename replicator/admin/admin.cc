#include "replicator/admin/admin.h"

#include "common/metrics.h"

namespace meridian::replicator {
namespace {

http::Response answer(int status, std::string content_type, std::string body) {
  http::Response out;
  out.status = status;
  out.content_type = std::move(content_type);
  out.body = std::move(body);
  return out;
}

http::Response plain(int status, const std::string& text) {
  return answer(status, "text/plain; charset=utf-8", text + "\n");
}

}  // namespace

Admin::Admin(Replicator& replicator, RegionId region, std::string version)
    : replicator_(replicator),
      fault_pages_(region,
                   [&replicator](rpc::FaultPages::Task task) {
                     return replicator.on_faults(std::move(task));
                   }),
      version_(std::move(version)) {}

http::Response Admin::handle(const http::Request& request) const {
  if (auto answered = fault_pages_.handle(request)) return std::move(*answered);
  if (request.method != "GET") return plain(405, "only GET is served here");
  std::string path = request.target.substr(0, request.target.find('?'));
  if (path == "/livez") return plain(200, "ok");
  if (path == "/v1/status")
    return answer(200, "application/json", status_json(replicator_.status(), version_));
  if (path == "/metrics")
    return answer(200, MetricsPage::kContentType, metrics());
  if (path == "/readyz") {
    auto status = replicator_.status();
    return status.ready ? plain(200, "ready") : plain(503, status.reason);
  }
  return plain(404, "no such page; see /v1/status, /metrics, /readyz, /livez");
}

std::string Admin::metrics() const {
  MetricsPage page;
  collect(replicator_.status(), page);
  fault_pages_.collect(page);
  return page.text();
}

}  // namespace meridian::replicator
