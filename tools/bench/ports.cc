#include "tools/bench/ports.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <set>
#include <sstream>
#include <stdexcept>

#include "common/rng.h"

namespace meridian::bench {
namespace {

constexpr const char* kLocks = "/tmp/meridian-test-ports";
constexpr std::int64_t kHighest = 29'999;
constexpr std::int64_t kPorts = 10'000;

struct Range {
  std::int64_t low = 0;
  std::int64_t high = 0;
  [[nodiscard]] bool holds(std::int64_t port) const { return low <= port && port <= high; }
};

Range outgoing_ports() {
  Range out{32'768, 60'999};
  std::ifstream("/proc/sys/net/ipv4/ip_local_port_range") >> out.low >> out.high;
  return out;
}

Range wanted_ports(const Range& outgoing) {
  const char* told = std::getenv("MERIDIAN_TEST_PORTS");
  if (told == nullptr || *told == '\0') {
    std::int64_t high = std::min(kHighest, outgoing.low - 1);
    return {std::max<std::int64_t>(1024, high - kPorts + 1), high};
  }
  Range out;
  char dash = 0;
  std::istringstream(told) >> out.low >> dash >> out.high;
  if (dash != '-' || out.low < 1 || out.high < out.low || out.high > 65'535)
    throw std::runtime_error("MERIDIAN_TEST_PORTS is a range of ports, such as 20000-29999");
  return out;
}

// Never closed: that would give all locks of this process up.
int open_locks() {
  int fd = ::open(kLocks, O_RDWR | O_CLOEXEC);
  if (fd >= 0) return fd;
  fd = ::open(kLocks, O_RDWR | O_CREAT | O_CLOEXEC, 0666);
  if (fd < 0) throw std::runtime_error(std::string("cannot open ") + kLocks);
  ::fchmod(fd, 0666);  // whatever the umask: other users share it
  return fd;
}

bool lock(std::int64_t port) {
  static const int kFile = open_locks();
  struct flock byte {};
  byte.l_type = F_WRLCK;
  byte.l_whence = SEEK_SET;
  byte.l_start = port;
  byte.l_len = 1;
  return ::fcntl(kFile, F_SETLK, &byte) == 0;
}

bool is_unbound(std::int64_t port) {
  int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in at{};
  at.sin_family = AF_INET;
  at.sin_port = htons(static_cast<std::uint16_t>(port));
  at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  bool bound = ::bind(fd, reinterpret_cast<const sockaddr*>(&at), sizeof at) == 0;
  ::close(fd);
  return bound;
}

}  // namespace

std::vector<std::uint16_t> free_ports(std::size_t count) {
  static std::set<std::int64_t> seen;  // given away, or somebody else's
  static Rng rng = Rng::from_system();
  const Range outgoing = outgoing_ports();
  const Range wanted = wanted_ports(outgoing);
  std::vector<std::int64_t> left;
  for (std::int64_t port = wanted.low; port <= wanted.high; ++port)
    if (!outgoing.holds(port) && !seen.contains(port)) left.push_back(port);
  std::vector<std::uint16_t> out;
  while (out.size() < count) {
    if (left.empty()) throw std::runtime_error("no free port to draw; see MERIDIAN_TEST_PORTS");
    std::swap(left[rng.below(left.size())], left.back());
    std::int64_t port = left.back();
    left.pop_back();
    seen.insert(port);
    if (lock(port) && is_unbound(port)) out.push_back(static_cast<std::uint16_t>(port));
  }
  return out;
}

std::string loopback(std::uint16_t port) { return "127.0.0.1:" + std::to_string(port); }

}  // namespace meridian::bench
