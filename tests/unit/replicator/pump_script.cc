#include "tests/unit/replicator/pump_script.h"

#include <variant>

namespace meridian::replicator {

std::vector<rpc::ChangeRecord> PumpScript::records(std::uint64_t first, std::uint64_t last,
                                                   std::size_t image_bytes) {
  std::vector<rpc::ChangeRecord> out;
  for (auto sequence = first; sequence <= last; ++sequence) {
    auto& record = out.emplace_back();
    record.sequence = Sequence(sequence);
    record.key = "k" + std::to_string(sequence);
    record.version = {conflict::Hlc{sequence}, flow().source};
    record.committed_us = static_cast<std::int64_t>(sequence) * 1000;
    record.new_image = Bytes(image_bytes, 'x');
  }
  return out;
}

Lines PumpScript::page(std::uint64_t after, std::uint64_t to, std::uint64_t pending,
                       std::size_t image_bytes) {
  rpc::LogPage page;
  page.to = at(to);
  page.end = Sequence(to + pending);
  page.pending = pending;
  page.records = records(after + 1, to, image_bytes);
  return note(pump.on_page(read_, std::move(page), now_ms));
}

Lines PumpScript::foreign_page(std::uint64_t to) {
  rpc::LogPage page;
  page.to = at(to);
  page.end = Sequence(to);
  return note(pump.on_page(read_, std::move(page), now_ms));
}

Lines PumpScript::idle_page(std::uint64_t to, std::int64_t read_us) {
  rpc::LogPage page;
  page.to = at(to);
  page.end = Sequence(to);
  return note(pump.on_page(read_, std::move(page), now_ms, read_us));
}

Lines PumpScript::bad_page(rpc::ReadStatus status) {
  rpc::LogPage page;
  page.status = status;
  return note(pump.on_page(read_, std::move(page), now_ms));
}

Lines PumpScript::applied(std::size_t batch) {
  rpc::ApplyOutcome outcome;
  outcome.status = rpc::ApplyStatus::applied;
  outcome.position = ends_.at(shipped_.at(batch));
  outcome.visible_us = 5'000'000;
  return note(pump.on_outcome(shipped_.at(batch), outcome, now_ms));
}

Lines PumpScript::wrong_position(std::size_t batch, LogPosition position) {
  rpc::ApplyOutcome outcome;
  outcome.status = rpc::ApplyStatus::wrong_position;
  outcome.position = position;
  return note(pump.on_outcome(shipped_.at(batch), outcome, now_ms));
}

Lines PumpScript::held(std::size_t batch, LogPosition position, std::int64_t retry_ms) {
  rpc::ApplyOutcome outcome;
  outcome.status = rpc::ApplyStatus::held;
  outcome.position = position;
  outcome.retry_ms = retry_ms;
  outcome.clock_ahead_ms = 700;
  return note(pump.on_outcome(shipped_.at(batch), outcome, now_ms));
}

Lines PumpScript::pass_ms(std::int64_t ms) {
  Lines out;
  auto end_ms = now_ms + ms;
  while (timer_at_ms_ && *timer_at_ms_ <= end_ms) {
    now_ms = std::max(now_ms, *timer_at_ms_);
    timer_at_ms_.reset();
    for (auto& line : note(pump.on_timer(now_ms))) out.push_back(std::move(line));
  }
  now_ms = end_ms;
  return out;
}

Lines PumpScript::note(Actions actions) {
  Lines out;
  auto number = [](const LogPosition& position) { return std::to_string(position.sequence.value); };
  for (auto& action : actions) {
    if (auto* ask = std::get_if<AskPosition>(&action)) {
      asked_ = ask->id;
      out.push_back("ask");
    } else if (auto* read = std::get_if<ReadLog>(&action)) {
      read_ = read->id;
      reads.push_back(*read);
      out.push_back("read " + number(read->after));
    } else if (auto* ship = std::get_if<ShipBatch>(&action)) {
      shipped_.push_back(ship->id);
      ends_[ship->id] = ship->batch.to;
      out.push_back("ship " + number(ship->batch.from) + "-" + number(ship->batch.to) + " #" +
                    std::to_string(ship->batch.records.size()));
    } else if (auto* save = std::get_if<SaveCheckpoint>(&action)) {
      out.push_back("save " + number(save->position));
    } else if (auto* probe = std::get_if<ProbeVisible>(&action)) {
      out.push_back("probe " + std::to_string(probe->read_us) + "-" +
                    std::to_string(probe->visible_us));
    } else if (auto* visible = std::get_if<RecordsVisible>(&action)) {
      out.push_back("visible " + std::to_string(visible->committed_us.size()));
    } else if (auto* timer = std::get_if<SetTimer>(&action)) {
      timer_at_ms_ = timer->at_ms;
    }
  }
  return out;
}

}  // namespace meridian::replicator
