// The mutations behind PutItem, UpdateItem and DeleteItem: compiled on the HTTP thread, evaluated by
// the store's writer, and asked afterwards for what the client wants to know.
//
// Evaluation decodes the stored image only when a condition or an update needs it.
// Threads: evaluate() on the writer's thread; the rest before submitting or after completion.
// Errors: a rejection is an ApiError, kept for the answer.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "region-node/api/error.h"
#include "region-node/expr/condition.h"
#include "region-node/expr/update.h"
#include "region-node/store/store.h"

namespace meridian::api {

struct MutationOptions {
  std::optional<expr::Condition> condition;
  bool keep_old = false;  // the answer needs the item as it was
  bool item_on_failed_condition = false;
  std::optional<conflict::Version> if_version = std::nullopt;  // see store::ItemWrite
};

class Mutation : public store::ItemMutation {
 public:
  explicit Mutation(MutationOptions options) : options_(std::move(options)) {}

  store::Verdict evaluate(std::optional<BytesView> current) final;

  [[nodiscard]] const std::optional<conflict::Version>& if_version() const {
    return options_.if_version;
  }

  // REQUIRES (all): the write has completed.
  // The item as it was; empty when there was none.  REQUIRES: keep_old.
  [[nodiscard]] std::optional<model::Item> old_item() const;
  // The larger size of the item before and after, in DynamoDB's bytes.  REQUIRES: keep_old.
  [[nodiscard]] virtual std::size_t bytes() const;
  // Why it was rejected.
  [[nodiscard]] const ApiError& rejection() const { return *rejection_; }

 protected:
  // `current`: the decoded item, if there is one and either a condition or needs_item() asked for it.
  virtual store::Verdict change(const model::Item* current) = 0;
  [[nodiscard]] virtual bool needs_item() const { return false; }
  store::Verdict reject(ApiError error);

 private:
  const MutationOptions options_;
  std::optional<Bytes> old_image_;
  std::optional<ApiError> rejection_;
};

class PutMutation final : public Mutation {
 public:
  // `bytes`: DynamoDB's size of the item.
  PutMutation(MutationOptions options, Bytes image, std::size_t bytes)
      : Mutation(std::move(options)), image_(std::move(image)), bytes_(bytes) {}
  [[nodiscard]] std::size_t bytes() const override { return std::max(bytes_, Mutation::bytes()); }
  [[nodiscard]] std::size_t image_bytes() const override { return image_.size(); }

 private:
  store::Verdict change(const model::Item* current) override;
  const Bytes image_;
  const std::size_t bytes_;
};

class DeleteMutation final : public Mutation {
 public:
  using Mutation::Mutation;

 private:
  store::Verdict change(const model::Item* current) override;
};

class UpdateMutation final : public Mutation {
 public:
  // What an update makes of a key that has no item.
  enum class OnAbsent { create, nothing };

  UpdateMutation(MutationOptions options, model::Item key, expr::Update update, OnAbsent on_absent)
      : Mutation(std::move(options)),
        key_(std::move(key)),
        update_(std::move(update)),
        on_absent_(on_absent) {}

  [[nodiscard]] std::size_t bytes() const override;
  // The item as it is now and the paths that were named; empty when nothing was done.
  [[nodiscard]] const std::optional<expr::UpdateOutcome>& outcome() const { return outcome_; }

 private:
  store::Verdict change(const model::Item* current) override;
  [[nodiscard]] bool needs_item() const override { return true; }

  const model::Item key_;
  const expr::Update update_;
  const OnAbsent on_absent_;
  std::optional<expr::UpdateOutcome> outcome_;
};

}  // namespace meridian::api
