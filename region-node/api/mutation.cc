#include "region-node/api/mutation.h"

#include "region-node/model/image.h"
#include "region-node/model/item_size.h"

namespace meridian::api {

store::Verdict Mutation::reject(ApiError error) {
  rejection_ = std::move(error);
  return {store::Verdict::Kind::reject, {}};
}

store::Verdict Mutation::evaluate(std::optional<BytesView> current) {
  rejection_.reset();
  old_image_.reset();
  if (options_.keep_old && current) old_image_.emplace(*current);
  std::optional<model::Item> item;
  if (current && (options_.condition || needs_item())) {
    item = model::decode_image(*current);
    if (!item) return reject(ApiError::internal("The stored item cannot be read"));
  }
  if (options_.condition) {
    static const model::Item kNone;
    if (!options_.condition->evaluate(item ? *item : kNone)) {
      bool show = options_.item_on_failed_condition && item;
      return reject(ApiError::condition_failed(
          show ? std::make_shared<const model::Item>(std::move(*item)) : nullptr));
    }
  }
  return change(item ? &*item : nullptr);
}

std::optional<model::Item> Mutation::old_item() const {
  return old_image_ ? model::decode_image(*old_image_) : std::nullopt;
}

std::size_t Mutation::bytes() const {
  auto item = old_item();
  return item ? model::item_size(*item) : 0;
}

store::Verdict PutMutation::change(const model::Item*) {
  return {store::Verdict::Kind::put, image_};
}

store::Verdict DeleteMutation::change(const model::Item*) {
  return {store::Verdict::Kind::remove, {}};
}

store::Verdict UpdateMutation::change(const model::Item* current) {
  outcome_.reset();
  // A removal of what is not there: it still takes a version, so that it beats an older write that is
  // on its way from a peer, as a delete of an absent key does.
  if (!current && on_absent_ == OnAbsent::nothing) return {store::Verdict::Kind::remove, {}};
  auto outcome = current ? update_.apply(*current) : update_.create(key_);
  if (!outcome) return reject(ApiError::validation(outcome.error()));
  outcome_ = std::move(*outcome);
  return {store::Verdict::Kind::put, model::encode_image(outcome_->item)};
}

std::size_t UpdateMutation::bytes() const {
  return std::max(Mutation::bytes(), outcome_ ? model::item_size(outcome_->item) : 0);
}

}  // namespace meridian::api
