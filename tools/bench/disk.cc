#include "tools/bench/disk.h"

#include <fcntl.h>
#include <unistd.h>

#include <stdexcept>
#include <string>

#include "common/clock.h"
#include "tools/bench/report.h"

namespace meridian::bench {
namespace {

constexpr std::size_t kWriteBytes = 8192;
constexpr int kWrites = 300;

}  // namespace

boost::json::object measure_sync(const WorkDir& dir) {
  std::string file = dir.path() + "/sync";
  int fd = ::open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644);
  if (fd < 0) throw std::runtime_error("cannot write " + file);
  const std::string block(kWriteBytes, 'x');
  SystemClock clock;
  Histogram histogram;
  bool fine = ::ftruncate(fd, kWriteBytes) == 0;
  for (int i = 0; i < kWrites && fine; ++i) {
    fine = ::pwrite(fd, block.data(), block.size(), 0) == static_cast<ssize_t>(block.size());
    std::int64_t begun_us = clock.monotonic_us();
    fine = fine && ::fdatasync(fd) == 0;
    histogram.record(clock.monotonic_us() - begun_us);
  }
  ::close(fd);
  ::unlink(file.c_str());
  if (!fine) throw std::runtime_error("cannot sync " + file);
  return latency_ms(histogram);
}

}  // namespace meridian::bench
