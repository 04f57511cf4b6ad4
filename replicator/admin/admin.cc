#include "replicator/admin/admin.h"

#include <charconv>
#include <optional>

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

// The window that a target asks for; empty when it is none.
std::optional<std::int64_t> window_of(std::string_view target) {
  constexpr std::string_view kName = "window_ms=";
  auto at = target.find('?');
  if (at == std::string_view::npos) return LagWindow::kDefaultMs;
  auto query = target.substr(at + 1);
  if (!query.starts_with(kName)) return std::nullopt;
  query.remove_prefix(kName.size());
  std::int64_t out = 0;
  auto [stop, error] = std::from_chars(query.data(), query.data() + query.size(), out);
  bool fine = error == std::errc() && stop == query.data() + query.size() && out > 0 &&
              out <= LagWindow::kReachMs;
  return fine ? std::optional(out) : std::nullopt;
}

}  // namespace

Admin::Admin(Replicator& replicator, RegionId region, std::string version,
             std::function<void(MetricsPage&)> more)
    : replicator_(replicator),
      fault_pages_(region,
                   [&replicator](rpc::FaultPages::Task task) {
                     return replicator.on_faults(std::move(task));
                   }),
      version_(std::move(version)),
      more_(std::move(more)) {}

http::Response Admin::handle(const http::Request& request) const {
  if (auto answered = fault_pages_.handle(request)) return std::move(*answered);
  if (request.method != "GET") return plain(405, "only GET is served here");
  std::string path = request.target.substr(0, request.target.find('?'));
  if (path == "/livez" || path == "/healthz") return plain(200, "ok");
  if (path == "/version") return plain(200, version_);
  if (path == "/v1/status")
    return answer(200, "application/json", status_json(replicator_.status(), version_));
  if (path == "/v1/lag") {
    auto window_ms = window_of(request.target);
    if (!window_ms) return plain(400, "window_ms must be a number from 1 to 300000");
    return answer(200, "application/json", lag_json(replicator_.status(*window_ms)));
  }
  if (path == "/metrics")
    return answer(200, MetricsPage::kContentType, metrics());
  if (path == "/readyz") {
    auto status = replicator_.status();
    return status.ready ? plain(200, "ready") : plain(503, status.reason);
  }
  return plain(404, "no such page; see /v1/status, /v1/lag, /metrics, /readyz, /livez");
}

std::string Admin::metrics() const {
  MetricsPage page;
  auto status = replicator_.status();
  page.gauge("meridian_build_info", "Version of this replicator; the value is always 1.", 1,
             {{"version", version_}, {"region", std::string(status.region.name())}});
  collect(status, page);
  fault_pages_.collect(page);
  more_(page);
  return page.text();
}

}  // namespace meridian::replicator
