#include "tools/bench/daemons.h"

#include <fcntl.h>
#include <linux/magic.h>
#include <stdlib.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <boost/json/parse.hpp>
#include <filesystem>
#include <fstream>
#include <stdexcept>

#include "common/http/client.h"
#include "tools/bench/ports.h"

namespace meridian::bench {
namespace {

bool in_memory(const std::string& path) {
  struct statfs info {};
  if (::statfs(path.c_str(), &info) != 0) return false;
  return info.f_type == TMPFS_MAGIC || info.f_type == RAMFS_MAGIC;
}

std::string default_parent() {
  std::string parent = std::filesystem::temp_directory_path().string();
  return in_memory(parent) ? program_folder() : parent;
}

std::string quoted(const std::string& text) { return "\"" + text + "\""; }

std::string peers_setting(const std::vector<RegionPorts>& peers) {
  if (peers.empty()) return "peers: []\n";
  std::string out = "peers:\n";
  for (const auto& peer : peers)
    out += "  - {region: " + peer.region + ", address: " + quoted(loopback(peer.peer)) + "}\n";
  return out;
}

std::string region_folder(const WorkDir& dir, const std::string& region) {
  std::string folder = dir.path() + "/" + region;
  std::filesystem::create_directories(folder);
  return folder;
}

std::string written(const std::string& file, const std::string& text) {
  std::ofstream out(file);
  out << text;
  if (!out.flush()) throw std::runtime_error("cannot write " + file);
  return file;
}

}  // namespace

WorkDir::WorkDir(const std::string& parent) {
  path_ = (parent.empty() ? default_parent() : parent) + "/meridian-bench-XXXXXX";
  if (::mkdtemp(path_.data()) == nullptr)
    throw std::runtime_error("cannot make a directory like " + path_);
}

WorkDir::~WorkDir() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

bool WorkDir::durable() const { return !in_memory(path_); }

void WorkDir::settle() const {
  int fd = ::open(path_.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0 || ::syncfs(fd) != 0) throw std::runtime_error("cannot sync " + path_);
  ::close(fd);
}

RegionPorts draw_ports(const std::string& region) {
  auto ports = free_ports(5);
  return {region, ports[0], ports[1], ports[2], ports[3], ports[4]};
}

Daemon::Daemon(const std::string& program, const std::string& folder, const std::string& settings,
               std::string admin)
    : admin_(std::move(admin)),
      process_({program_folder() + "/" + program, "--config",
                written(folder + "/" + program + ".yaml", settings)},
               folder + "/" + program + ".log") {}

void Daemon::start() {
  process_.start();
  process_.wait_ready(admin_);
}

Daemon make_node(const Options& options, const WorkDir& dir, const RegionPorts& self,
                 const std::vector<RegionPorts>& peers, const std::string& more) {
  std::string folder = region_folder(dir, self.region);
  std::string settings = "region: " + self.region + "\ndata_dir: " + quoted(folder + "/data") +
                         "\nlisten:\n  table: " + quoted(loopback(self.table)) +
                         "\n  streams: " + quoted(loopback(self.streams)) +
                         "\n  admin: " + quoted(loopback(self.admin)) +
                         "\n  peer: " + quoted(loopback(self.peer)) + "\n" + peers_setting(peers) +
                         "http_threads: " + std::to_string(options.http_threads) +
                         "\nshards: " + std::to_string(options.shards) + "\nlog_level: info\n" +
                         more;
  return {"region-node", folder, settings, loopback(self.admin)};
}

Daemon make_replicator(const WorkDir& dir, const RegionPorts& self,
                       const std::vector<RegionPorts>& peers) {
  std::string folder = region_folder(dir, self.region);
  std::string settings = "region: " + self.region + "\nnode: " + quoted(loopback(self.peer)) +
                         "\n" + peers_setting(peers) +
                         "checkpoint_dir: " + quoted(folder + "/checkpoints") +
                         "\nadmin: " + quoted(loopback(self.replicator)) + "\nlog_level: info\n";
  return {"replicator", folder, settings, loopback(self.replicator)};
}

NodeCounters node_counters(std::uint16_t admin_port) {
  auto answer = http::HttpClient(loopback(admin_port)).get("/v1/status");
  if (answer.status != 200) throw std::runtime_error("a node does not tell its status");
  auto status = boost::json::parse(answer.body);
  const auto& store = status.at("store").as_object();
  auto count = [&](const char* name) { return store.at(name).to_number<std::uint64_t>(); };
  return {count("commits"),
          count("records_applied") + count("records_stale") + count("records_duplicate")};
}

}  // namespace meridian::bench
