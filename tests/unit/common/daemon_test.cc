#include "common/daemon.h"

#include <gtest/gtest.h>

#include <new>
#include <stdexcept>

namespace meridian {
namespace {

int run_with(std::function<void(const Logger&)> work, const char* flag = nullptr) {
  const char* argv[] = {"daemon", flag};
  return run_daemon(flag == nullptr ? 1 : 2, const_cast<char**>(argv), {"daemon", "1.2", "help\n"},
                    [&work](ConfigSource&) { return Daemon{LogLevel::info, std::move(work)}; });
}

// Each in a process of its own: signals and the new handler belong to the whole process.
TEST(DaemonDeathTest, ExitCodesSayWhatHappened) {
  EXPECT_EXIT(std::exit(run_with([](const Logger&) {})), testing::ExitedWithCode(0), "");
  EXPECT_EXIT(std::exit(run_with([](const Logger&) { throw std::runtime_error("no port"); })),
              testing::ExitedWithCode(1), "start_failed.*no port");
  EXPECT_EXIT(std::exit(run_with([](const Logger&) {}, "--nonsense")), testing::ExitedWithCode(2),
              "nonsense");
}

TEST(DaemonDeathTest, WithoutMemoryItEndsAtOnceAndWithoutASignal) {
  EXPECT_EXIT(std::exit(run_with([](const Logger&) { std::get_new_handler()(); })),
              testing::ExitedWithCode(3), "out of memory");
}

}  // namespace
}  // namespace meridian
