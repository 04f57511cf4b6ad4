// Completions: turns an answer that comes on another thread (the store's writer) into a promise on the
// KJ thread.
//
// The promise's fulfiller never leaves the KJ thread: the other thread only carries a number.  So a
// caller that has gone away, or a server that has stopped, costs nothing but a number that is not
// found.
// Threads: open() and close() on the KJ thread; the function that open() answers from any, once.
// Owns: what waits.  The answering function shares it, and may outlive this object.
// Limits: as many as there are calls under way.
#pragma once

#include <kj/async.h>
#include <kj/debug.h>

#include <functional>
#include <map>
#include <memory>
#include <utility>

#include "rpc/kj_thread.h"

namespace meridian::rpc {

template <typename T>
class Completions {
 public:
  explicit Completions(std::shared_ptr<KjMailbox> mailbox) : state_(std::make_shared<State>()) {
    state_->mailbox = std::move(mailbox);
  }
  ~Completions() { close(); }
  KJ_DISALLOW_COPY(Completions);

  struct Pending {
    kj::Promise<T> promise;
    std::function<void(T)> answer;
  };

  Pending open() {
    auto pair = kj::newPromiseAndFulfiller<T>();
    auto number = state_->next++;
    state_->waiting.emplace(number, kj::mv(pair.fulfiller));
    return {kj::mv(pair.promise), [state = state_, number](T value) {
              state->mailbox->post([state, number, value = std::move(value)]() mutable {
                state->fulfil(number, std::move(value));
              });
            }};
  }

  // Rejects everything that still waits.
  void close() {
    auto waiting = std::exchange(state_->waiting, {});
    for (auto& [number, fulfiller] : waiting)
      fulfiller->reject(KJ_EXCEPTION(DISCONNECTED, "shutting down"));
  }

 private:
  struct State {
    std::shared_ptr<KjMailbox> mailbox;
    std::uint64_t next = 1;                                             // KJ thread
    std::map<std::uint64_t, kj::Own<kj::PromiseFulfiller<T>>> waiting;  // KJ thread

    void fulfil(std::uint64_t number, T value) {
      auto at = waiting.find(number);
      if (at == waiting.end()) return;
      auto fulfiller = kj::mv(at->second);
      waiting.erase(at);
      fulfiller->fulfill(kj::mv(value));
    }
  };
  std::shared_ptr<State> state_;
};

}  // namespace meridian::rpc
