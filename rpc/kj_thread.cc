#include "rpc/kj_thread.h"

#include <exception>
#include <future>
#include <limits>
#include <stdexcept>

#include "common/check.h"
#include "rpc/kj_log.h"

namespace meridian::rpc {

bool KjMailbox::add(Task& task, std::size_t capacity) {
  kj::Maybe<kj::Own<kj::CrossThreadPromiseFulfiller<void>>> wake;
  {
    std::lock_guard lock(mutex_);
    if (closed_ || tasks_.size() >= capacity) return false;
    tasks_.push_back(kj::mv(task));
    wake = kj::mv(wake_);
    wake_ = nullptr;
  }
  KJ_IF_MAYBE (fulfiller, wake) (*fulfiller)->fulfill();
  return true;
}

bool KjMailbox::try_post(Task task) { return add(task, capacity_); }

bool KjMailbox::post(Task task) { return add(task, std::numeric_limits<std::size_t>::max()); }

kj::Maybe<kj::Promise<void>> KjMailbox::drain_or_arm(std::vector<Task>& out) {
  std::lock_guard lock(mutex_);
  out.swap(tasks_);
  if (!out.empty() || closed_) return nullptr;
  auto pair = kj::newPromiseAndCrossThreadFulfiller<void>();
  wake_ = kj::mv(pair.fulfiller);
  return kj::mv(pair.promise);
}

void KjMailbox::close() {
  kj::Maybe<kj::Own<kj::CrossThreadPromiseFulfiller<void>>> wake;
  {
    std::lock_guard lock(mutex_);
    closed_ = true;
    wake = kj::mv(wake_);
    wake_ = nullptr;
  }
  KJ_IF_MAYBE (fulfiller, wake) (*fulfiller)->fulfill();
}

KjThread::KjThread(Logger log, std::size_t capacity)
    : log_(std::move(log)), mailbox_(std::make_shared<KjMailbox>(capacity)) {}

KjThread::~KjThread() { stop(); }

void KjThread::start() {
  MERIDIAN_CHECK(!thread_.joinable());
  std::promise<void> ready;
  auto running = ready.get_future();
  thread_ = std::thread([this, &ready] { loop([&ready] { ready.set_value(); }); });
  running.get();
}

void KjThread::stop() {
  mailbox_->close();
  if (thread_.joinable()) thread_.join();
}

void KjThread::stop(KjMailbox::Task last) {
  last_ = std::make_unique<KjMailbox::Task>(kj::mv(last));
  stop();
}

void KjThread::run(KjMailbox::Task task) {
  std::promise<void> done;
  auto finished = done.get_future();
  bool posted = mailbox_->post([&done, task = kj::mv(task)]() mutable {
    try {
      task();
      done.set_value();
    } catch (const kj::Exception& failure) {
      // Not passed on as it is: KJ aborts when its exception dies on a thread that did not throw it.
      done.set_exception(std::make_exception_ptr(std::runtime_error(describe(failure))));
    } catch (...) {
      done.set_exception(std::current_exception());
    }
  });
  MERIDIAN_CHECK(posted);
  finished.get();
}

kj::Timer& KjThread::timer() { return io_->provider->getTimer(); }
kj::Network& KjThread::network() { return io_->provider->getNetwork(); }

void KjThread::loop(kj::Function<void()> ready) {
  KjLog kj_log(log_);
  auto io = kj::setupAsyncIo();
  io_ = &io;
  ready();
  std::vector<KjMailbox::Task> tasks;
  for (;;) {
    KJ_IF_MAYBE (sleep, mailbox_->drain_or_arm(tasks)) {
      sleep->wait(io.waitScope);
      continue;
    }
    if (tasks.empty()) break;  // closed
    run_tasks(tasks);
    // A mailbox that never runs dry must not keep the sockets waiting.
    io.waitScope.poll();
  }
  if (last_) {
    tasks.push_back(kj::mv(*last_));
    run_tasks(tasks);
  }
  io_ = nullptr;
}

void KjThread::run_tasks(std::vector<KjMailbox::Task>& tasks) {
  for (auto& task : tasks) {
    KJ_IF_MAYBE (failure, kj::runCatchingExceptions([&task] { task(); })) {
      log_.error("kj_task_failed", "reason=\"{}\"", describe(*failure));
    }
  }
  tasks.clear();
}

}  // namespace meridian::rpc
