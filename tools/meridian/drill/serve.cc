#include "tools/meridian/drill/serve.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <boost/json/array.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <set>

#include "common/clock.h"
#include "common/http/origins.h"
#include "common/http/token_guard.h"
#include "common/log.h"
#include "common/settings.h"
#include "common/signals.h"
#include "tools/meridian/drill/report.h"
#include "tools/meridian/drill/scenario.h"
#include "tools/meridian/output.h"

namespace meridian::drill {
namespace json = boost::json;
namespace fs = std::filesystem;

namespace {

constexpr const char* kPages = "/v1/drills";
constexpr std::size_t kReportsMax = 100;
constexpr std::size_t kSaidMax = 4'000;  // of what a drill printed last

http::Response answer(int status, const json::value& body) {
  http::Response out;
  out.status = status;
  out.body = json::serialize(body);
  return out;
}

http::Response complain(int status, const std::string& problem) {
  return answer(status, json::object{{"error", problem}});
}

// Letters, digits, - and _ in names; no way out of the folder.
bool is_plain(const std::string& name, const char* also) {
  return !name.empty() && name.front() != '.' && name.size() <= 128 &&
         std::all_of(name.begin(), name.end(), [also](char c) {
           return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_' ||
                  std::string_view(also).find(c) != std::string_view::npos;
         });
}

std::string read_file(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  return {(std::istreambuf_iterator<char>(in)), {}};
}

json::array read_timeline(const fs::path& path) {
  json::array out;
  std::ifstream in(path);
  for (std::string line; std::getline(in, line);) {
    boost::system::error_code error;
    json::value event = json::parse(line, error);
    if (!error) out.push_back(std::move(event));  // the last line may be half written
  }
  return out;
}

std::map<std::string, std::string> fields_of(const std::string& query) {
  std::map<std::string, std::string> out;
  for (std::size_t at = 0; at < query.size();) {
    auto end = std::min(query.find('&', at), query.size());
    auto equals = std::min(query.find('=', at), end);
    out[query.substr(at, equals - at)] =
        equals < end ? query.substr(equals + 1, end - equals - 1) : std::string();
    at = end + 1;
  }
  return out;
}

json::object summary_of(const std::string& folder, const json::object& report) {
  json::object out{{"folder", folder}};
  for (const char* key : {"id", "scenario", "region", "survivor", "verdict", "began", "rto", "rpo",
                          "writes", "longest_outage_s"})
    if (const json::value* value = report.if_contains(key)) out[key] = *value;
  return out;
}

pid_t start_drill(const std::vector<std::string>& words, const std::string& log) {
  std::vector<char*> argv;
  for (const auto& word : words) argv.push_back(const_cast<char*>(word.c_str()));
  argv.push_back(nullptr);
  pid_t pid = ::fork();
  if (pid != 0) return pid;
  ::setsid();
  sigset_t none;
  sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
  int out = ::open(log.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
  int in = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
  ::dup2(in, 0);
  ::dup2(out, 1);
  ::dup2(out, 2);
  ::execv("/proc/self/exe", argv.data());
  ::_exit(127);
}

const char* type_of(const std::string& name) {
  if (name.ends_with(".html")) return "text/html; charset=utf-8";
  if (name.ends_with(".json") || name.ends_with(".jsonl")) return "application/json";
  return "text/plain; charset=utf-8";
}

}  // namespace

DrillServer::DrillServer(const cli::Deployment& deployment, std::string folder)
    : deployment_(deployment), folder_(std::move(folder)) {
  fs::create_directories(folder_);
}

DrillServer::~DrillServer() {
  std::lock_guard lock(mutex_);
  if (child_ == 0) return;
  ::kill(child_, SIGINT);
  reap(true);
}

http::Response DrillServer::handle(const http::Request& request) {
  std::lock_guard lock(mutex_);
  reap(false);
  auto mark = std::min(request.target.find('?'), request.target.size());
  std::string path = request.target.substr(0, mark);
  std::string query = request.target.substr(std::min(mark + 1, request.target.size()));
  try {
    if (path == "/readyz") return answer(200, json::object{{"ready", true}, {"reason", ""}});
    if (path == kPages && request.method == "GET") return list();
    if (!path.starts_with(std::string(kPages) + "/"))
      return complain(404, "no such page; see /v1/drills");
    path.erase(0, std::string(kPages).size() + 1);
    if (request.method == "GET") return file(path);
    if (request.method == "POST" && path == "run") return run(query);
    if (request.method == "POST" && path == "stop") return stop();
  } catch (const std::exception& failure) {
    return complain(500, failure.what());
  }
  return complain(405, "GET /v1/drills, POST /v1/drills/run, POST /v1/drills/stop");
}

http::Response DrillServer::list() {
  json::array regions;
  for (const auto& region : deployment_.regions) regions.emplace_back(region.name);
  json::array known;
  for (const auto& scenario : scenarios())
    known.push_back(json::object{{"name", scenario.name}, {"summary", scenario.summary}});
  std::set<std::string, std::greater<>> names;  // the newest first
  for (const auto& entry : fs::directory_iterator(folder_))
    if (fs::exists(entry.path() / "report.json")) names.insert(entry.path().filename());
  json::array reports;
  for (const auto& name : names) {
    if (reports.size() == kReportsMax) break;
    try {
      reports.push_back(summary_of(name, load_report((fs::path(folder_) / name).string())));
    } catch (const std::exception&) {
      continue;  // damaged, or of another release: it is none of ours
    }
  }
  json::value now = nullptr;
  json::value last = nullptr;
  if (!current_.empty()) {
    fs::path folder = fs::path(folder_) / current_;
    json::object drill{{"folder", current_}, {"scenario", scenario_}, {"region", region_},
                       {"timeline", read_timeline(folder / "timeline.jsonl")}};
    if (child_ != 0) {
      now = std::move(drill);
    } else {
      std::string said = read_file(folder / "drill.log");
      drill["exit_code"] = last_code_;
      drill["said"] = said.substr(said.size() - std::min(said.size(), kSaidMax));
      last = std::move(drill);
    }
  }
  return answer(200, json::object{{"regions", std::move(regions)},
                                  {"scenarios", std::move(known)},
                                  {"running", std::move(now)},
                                  {"last", std::move(last)},
                                  {"reports", std::move(reports)}});
}

http::Response DrillServer::run(const std::string& query) {
  if (child_ != 0) return complain(409, "a drill is running: " + current_);
  auto fields = fields_of(query);
  if (find_scenario(fields["scenario"]) == nullptr)
    return complain(400, "scenario must be one of those that /v1/drills lists");
  std::string region =
      fields["region"].empty() ? deployment_.regions.front().name : fields["region"];
  if (std::none_of(deployment_.regions.begin(), deployment_.regions.end(),
                   [&region](const auto& one) { return one.name == region; }))
    return complain(400, "region must be one of those that /v1/drills lists");
  std::string name = "drill-" + std::to_string(SystemClock().wall_ms());
  fs::path folder = fs::path(folder_) / name;
  std::vector<std::string> words{"meridian", "--deployment", deployment_.path, "drill", "run",
                                 fields["scenario"], "--region", region, "--yes", "--out",
                                 folder.string()};
  for (const char* option : {"fault", "baseline", "rate"}) {
    const std::string& value = fields[option];
    if (value.empty()) continue;
    if (!is_plain(value, ".")) return complain(400, std::string(option) + " cannot be read");
    words.insert(words.end(), {std::string("--") + option, value});
  }
  fs::create_directories(folder);
  child_ = start_drill(words, (folder / "drill.log").string());
  if (child_ < 0) {
    child_ = 0;
    return complain(500, "no process can be started");
  }
  current_ = name;
  scenario_ = fields["scenario"];
  region_ = region;
  return answer(200, json::object{{"folder", name}});
}

http::Response DrillServer::stop() {
  if (child_ == 0) return complain(409, "no drill is running");
  ::kill(child_, SIGINT);
  return answer(200, json::object{{"stopping", current_}});
}

http::Response DrillServer::file(const std::string& path) {
  auto slash = path.find('/');
  std::string folder = path.substr(0, slash);
  std::string name = slash == std::string::npos ? "" : path.substr(slash + 1);
  fs::path found = fs::path(folder_) / folder / name;
  if (!is_plain(folder, "") || !is_plain(name, ".") || !fs::is_regular_file(found))
    return complain(404, "no such report");
  http::Response out;
  out.content_type = type_of(name);
  out.body = read_file(found);
  out.headers = {{"Content-Security-Policy",
                  "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'"},
                 {"X-Content-Type-Options", "nosniff"},
                 {"Cache-Control", "no-cache"}};
  return out;
}

void DrillServer::reap(bool wait) {
  if (child_ == 0) return;
  int status = 0;
  if (::waitpid(child_, &status, wait ? 0 : WNOHANG) != child_) return;
  last_code_ = WIFEXITED(status) ? WEXITSTATUS(status) : 128;
  child_ = 0;
}

int serve_drills(const cli::Deployment& deployment, const ServeOptions& options) {
  if (!valid_address(options.listen))
    throw cli::UsageError("--listen needs HOST:PORT, not " + options.listen);
  if (!is_loopback(options.listen) && deployment.admin_token.empty() && !options.beyond_loopback)
    throw cli::UsageError("whoever reaches " + options.listen +
                          " could break regions; give --admin-token-file, whose token it then "
                          "wants, or say --beyond-loopback to listen there");
  block_stop_signals();
  DrillServer drills(deployment, options.folder);
  std::vector<std::string> origins = options.origins;
  for (const auto& region : deployment.regions) origins.push_back(region.admin.address);
  http::TokenGuard guard(deployment.admin_token);
  http::Handler handler = [&drills](const http::Request& request, const http::Responder& respond) {
    respond(drills.handle(request));
  };
  http::HttpServer server({{options.listen, http::Origins(origins).around(guard.around(handler))}},
                          1, {}, Logger(make_stderr_sink(LogLevel::warn)));
  server.start();
  cli::progress(fmt::format("drills over HTTP on {}; reports in {}; Ctrl-C ends it", options.listen,
                            options.folder));
  wait_for_stop_signal();
  server.stop();
  return 0;
}

}  // namespace meridian::drill
