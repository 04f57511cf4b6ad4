// Controlled: a store::ControlResult as a plain struct, for KJ promises (GCC 12 takes a variant inside
// kj::Maybe for uninitialised).
// Threads: value type.
#pragma once

#include <functional>
#include <utility>

#include "region-node/store/store.h"

namespace meridian::peer {

struct Controlled {
  bool ok = false;
  store::ControlError error = store::ControlError::unavailable;  // unless ok
  store::TablePtr table;
};

inline store::ControlDone controlled(std::function<void(Controlled)> answer) {
  return [answer = std::move(answer)](store::ControlResult result) {
    Controlled out;
    out.ok = result.ok();
    if (result.ok()) {
      out.table = *result;
    } else {
      out.error = result.error();
    }
    answer(std::move(out));
  };
}

// For a change whose outcome shows elsewhere.
inline store::ControlDone ignored() {
  return [](const store::ControlResult&) {};
}

}  // namespace meridian::peer
