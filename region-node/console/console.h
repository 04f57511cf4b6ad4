// Console: the web page of a deployment, from assets that are part of the program.
//
//   GET /                    the page
//   GET /console/FILE        its scripts and styles
//   GET /v1/console          JSON: the regions of the deployment, as a browser reaches their admin
//                            endpoints: {"region", "regions": [{"name", "admin", "replicators": []}],
//                            "drills"}
//
// The page asks every region by itself; a region that is down does not take the console of another with
// it.  What the page may load and call is named in its Content-Security-Policy, so nothing leaves the
// deployment.
//
// Threads: immutable, any.  Source: settings console.nodes, console.replicators,
// console.drills.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "common/http/server.h"
#include "common/ids.h"

namespace meridian::console {

using Addresses = std::vector<std::pair<RegionId, std::string>>;

struct ConsoleOptions {
  RegionId region;        // of this node
  Addresses nodes;        // admin endpoints of all regions, host:port, this one's included
  Addresses replicators;  // the same of their replicators; a region stands once for each of its workers
  std::string drills;     // of `meridian drill serve`, host:port; empty where there is none
};

class Console {
 public:
  explicit Console(ConsoleOptions options);

  // Is it for the page itself, which holds nothing of the deployment?
  [[nodiscard]] static bool has_asset(const http::Request& request);
  // Empty when the request is not for the console.
  [[nodiscard]] std::optional<http::Response> handle(const http::Request& request) const;
  // Where its pages come from, and so who may call the admin endpoints from a browser.
  [[nodiscard]] std::vector<std::string> origins() const;

 private:
  const ConsoleOptions options_;
  const std::string regions_json_;
  const std::string policy_;
};

}  // namespace meridian::console
