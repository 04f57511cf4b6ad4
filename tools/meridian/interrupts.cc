#include "tools/meridian/interrupts.h"

#include <atomic>

namespace meridian::cli {
namespace {

std::atomic<int> interrupts{0};
void on_interrupt(int /*signal*/) { ++interrupts; }

}  // namespace

Interrupts::Interrupts() {
  interrupts = 0;
  struct sigaction action {};
  action.sa_handler = on_interrupt;
  ::sigaction(SIGINT, &action, &before_int_);
  ::sigaction(SIGTERM, &action, &before_term_);
}

Interrupts::~Interrupts() {
  ::sigaction(SIGINT, &before_int_, nullptr);
  ::sigaction(SIGTERM, &before_term_, nullptr);
}

int Interrupts::count() const { return interrupts; }

}  // namespace meridian::cli
