// Serve: drills over HTTP, for the console's Drills view: what there is to run, the one that runs with
// its timeline, and the reports of a folder.
//
//   GET  /v1/drills                       {"regions", "scenarios", "running", "last", "reports"}
//   POST /v1/drills/run?scenario=S        starts one, as `drill run S --yes` does; also region, fault,
//        &region=R&fault=15s&rate=200     baseline, rate
//   POST /v1/drills/stop                  ends it early: it heals first
//   GET  /v1/drills/FOLDER/FILE           a file of a report
//   GET  /readyz                          200
//
// Where the deployment's daemons want a token, so does this address, and the same one.
//
// Each drill is a process of its own, so that whatever becomes of it or of this server, it heals.
//
// Threads: handle() from any; one drill at a time.
// Errors: std::runtime_error from serve_drills() when the address cannot be bound.
#pragma once

#include <sys/types.h>

#include <mutex>
#include <string>
#include <vector>

#include "common/http/server.h"
#include "tools/meridian/deployment.h"

namespace meridian::drill {

struct ServeOptions {
  std::string listen = "127.0.0.1:8070";
  std::string folder = "drills";     // of the reports
  std::vector<std::string> origins;  // pages of these addresses may call; besides the regions' own
  bool beyond_loopback = false;      // listen where others reach it, without a token too
};

class DrillServer {
 public:
  DrillServer(const cli::Deployment& deployment, std::string folder);
  ~DrillServer();  // ends a drill that runs, and waits until it has healed
  http::Response handle(const http::Request& request);

 private:
  http::Response list();
  http::Response run(const std::string& query);
  http::Response stop();
  http::Response file(const std::string& path);
  void reap(bool wait);  // under mutex_

  const cli::Deployment& deployment_;
  const std::string folder_;
  std::mutex mutex_;
  pid_t child_ = 0;         // guarded by mutex_; 0: none runs
  std::string current_;     // folder of the one that runs, or of the last
  std::string scenario_;    // of it
  std::string region_;
  std::string began_;
  int last_code_ = -1;  // exit code of the last; -1: none yet
};

// Until SIGINT or SIGTERM.
int serve_drills(const cli::Deployment& deployment, const ServeOptions& options);

}  // namespace meridian::drill
