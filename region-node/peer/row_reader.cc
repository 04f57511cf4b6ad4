#include "region-node/peer/row_reader.h"

#include <chrono>
#include <exception>
#include <utility>

namespace meridian::peer {

RowReader::RowReader(store::Store& store, std::shared_ptr<rpc::KjMailbox> mailbox, Logger log)
    : store_(store),
      log_(std::move(log)),
      done_(std::move(mailbox)),
      thread_([this] { run(); }) {}

RowReader::~RowReader() {
  tasks_.close();
  thread_.join();
}

void RowReader::post(std::function<void(store::Reader&)> work, std::function<void(bool)> done) {
  Task task{std::move(work), std::move(done)};
  if (!tasks_.try_post(task)) task.done(false);
}

void RowReader::run() {
  constexpr std::chrono::milliseconds kIdle{1000};
  std::unique_ptr<store::Reader> reader;
  std::vector<Task> tasks;
  while (tasks_.wait_drain(tasks, kIdle)) {
    for (auto& task : tasks) {
      bool done = false;
      try {
        if (!reader) reader = store_.open_reader();
        task.work(*reader);
        done = true;
      } catch (const std::exception& error) {
        log_.error("rows_not_readable", "reason=\"{}\"", error.what());
      }
      task.done(done);
    }
  }
}

}  // namespace meridian::peer
