#include "replicator/io/batch_sender.h"

#include <utility>

#include "rpc/codec.h"

namespace meridian::replicator {

namespace wire = rpc::wire;

kj::Promise<rpc::ApplyOutcome> BatchSender::send(rpc::ReplicationBatch batch) {
  auto pair = kj::newPromiseAndFulfiller<rpc::ApplyOutcome>();
  auto words = rpc::words_of(batch.records) + rpc::kWordsPerPage;
  unsent_.push_back({std::move(batch), words, kj::mv(pair.fulfiller)});
  if (!std::exchange(sending_soon_, true)) {
    calls_.add(kj::evalLast([this]() -> kj::Promise<void> {
      if (faults_.paused()) return faults_.until_not_paused().then([this] { call_all(); });
      call_all();
      return kj::READY_NOW;
    }));
  }
  return kj::mv(pair.promise);
}

void BatchSender::call_all() {
  sending_soon_ = false;
  std::vector<Waiting> together;
  std::size_t words = 0;
  for (auto& next : std::exchange(unsent_, {})) {
    bool full = together.size() >= rpc::kBatchesMax || words + next.words > kTogetherWordsMax;
    if (!together.empty() && full) {
      call(together, std::exchange(words, 0));
      together.clear();
    }
    words += next.words;
    together.push_back(kj::mv(next));
  }
  if (!together.empty()) call(together, words);
}

void BatchSender::call(std::vector<Waiting>& batches, std::size_t words) {
  using Answer = capnp::Response<wire::Region::ApplyResults>;
  auto sent = kj::refcounted<Batches>();
  for (auto& one : batches) sent->outcomes.push_back(kj::mv(one.outcome));
  auto answered = sink_.call(
      [&batches, words](wire::Region::Client& client) {
        auto request = client.applyRequest(rpc::size_hint(words));
        auto out = request.initBatches(static_cast<unsigned>(batches.size()));
        for (unsigned i = 0; i < out.size(); ++i) rpc::write_batch(batches[i].batch, out[i]);
        return kj::Promise<Answer>(request.send());
      },
      kApplyExtraMs);
  calls_.add(answered
                 .then([count = sent->outcomes.size()](Answer&& answer) {
                   auto outcomes = rpc::read_outcomes(answer.getOutcomes());
                   if (outcomes.size() != count) throw rpc::CodecError("not an outcome per batch");
                   return outcomes;
                 })
                 .then(
                     [sent = kj::addRef(*sent)](std::vector<rpc::ApplyOutcome> outcomes) mutable {
                       for (std::size_t i = 0; i < outcomes.size(); ++i)
                         sent->outcomes[i]->fulfill(kj::mv(outcomes[i]));
                     },
                     [sent = kj::addRef(*sent)](kj::Exception&& failure) mutable {
                       for (auto& outcome : sent->outcomes) outcome->reject(kj::cp(failure));
                     }));
}

void BatchSender::taskFailed(kj::Exception&& failure) {
  for (auto& one : std::exchange(unsent_, {})) one.outcome->reject(kj::cp(failure));
}

}  // namespace meridian::replicator
