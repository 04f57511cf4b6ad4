#include "tools/meridian/replicate/tally.h"

#include <algorithm>

namespace meridian::replicate {

void WriteTally::add(const Answer& answer) {
  last_us = std::max(last_us, answer.answered_us);
  ++statuses[answer.status];
  if (!answer.error.empty()) {
    ++failed;
    ++errors[answer.error];
    return;
  }
  ++acknowledged;
  ++by_kind[answer.kind];
  from_due.add(answer.answered_us - answer.due_us);
  from_sent.add(answer.answered_us - answer.sent_us);
}

void WriteTally::give_up(std::int64_t due_us, std::int64_t now_us) {
  ++unsent;
  from_due.add(now_us - due_us);
}

void SinkTally::see(const Sample& sample, std::int64_t now_us) {
  ++seen;
  lag.add(now_us - sample.acked_us);
  from_due.add(now_us - sample.due_us);
}

void SinkTally::give_up(const Sample& sample, std::int64_t now_us) {
  ++unseen;
  lag.add(now_us - sample.acked_us);
  from_due.add(now_us - sample.due_us);
}

}  // namespace meridian::replicate
