// Interrupts: how often Ctrl-C (or SIGTERM) has come, while one lives.
//
// Threads: one at a time, from main.
#pragma once

#include <csignal>

namespace meridian::cli {

class Interrupts {
 public:
  Interrupts();
  ~Interrupts();  // from then on they end the process, as ever
  Interrupts(const Interrupts&) = delete;
  Interrupts& operator=(const Interrupts&) = delete;
  [[nodiscard]] int count() const;

 private:
  struct sigaction before_int_ {};
  struct sigaction before_term_ {};
};

}  // namespace meridian::cli
