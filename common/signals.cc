#include "common/signals.h"

#include <pthread.h>

#include <csignal>

#include "common/check.h"

namespace meridian {
namespace {

sigset_t stop_signals() {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGINT);
  sigaddset(&set, SIGTERM);
  return set;
}

}  // namespace

void block_stop_signals() {
  sigset_t set = stop_signals();
  MERIDIAN_CHECK(pthread_sigmask(SIG_BLOCK, &set, nullptr) == 0);
  std::signal(SIGPIPE, SIG_IGN);
}

int wait_for_stop_signal() {
  sigset_t set = stop_signals();
  int signal = 0;
  MERIDIAN_CHECK(sigwait(&set, &signal) == 0);
  return signal;
}

}  // namespace meridian
