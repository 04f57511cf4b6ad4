#include "common/signals.h"

#include <pthread.h>

#include <csignal>

#include "common/check.h"

namespace meridian {
namespace {

sigset_t known_signals() {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGINT);
  sigaddset(&set, SIGTERM);
  sigaddset(&set, SIGHUP);
  return set;
}

}  // namespace

void block_stop_signals() {
  sigset_t set = known_signals();
  MERIDIAN_CHECK(pthread_sigmask(SIG_BLOCK, &set, nullptr) == 0);
  std::signal(SIGPIPE, SIG_IGN);
}

int wait_for_stop_signal(const std::function<void()>& reload) {
  sigset_t set = known_signals();
  while (true) {
    int signal = 0;
    MERIDIAN_CHECK(sigwait(&set, &signal) == 0);
    if (signal != SIGHUP || !reload) return signal;
    reload();
  }
}

}  // namespace meridian
