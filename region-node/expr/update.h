// Update: a compiled UpdateExpression (or legacy AttributeUpdates), applied to an item.
//
// All operands read the item as it was before; the order of clauses does not matter.
// Threads: immutable and cheap to copy; any thread may apply.
// Errors: texts of AWS's ValidationException, both from parsing and from apply() (a path that is not
// there, an operand of another type, a result over model::kItemBytesMax or model::kNestingMax).
// Limits: kExpressionBytesMax, kOperatorsMax.
// Source: DynamoDB developer guide, "Using update expressions".
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "common/result.h"
#include "region-node/expr/path.h"
#include "region-node/expr/placeholders.h"
#include "region-node/model/table.h"

namespace meridian::expr {

struct UpdateActions;

struct UpdateOutcome {
  model::Item item;
  // What the update named.  ReturnValues UPDATED_OLD is project(old, updated), UPDATED_NEW is
  // project(item, updated).
  std::vector<Path> updated;
};

class Update {
 public:
  // Changes nothing.
  Update() = default;
  explicit Update(std::shared_ptr<const UpdateActions> actions) : actions_(std::move(actions)) {}

  // "One or more parameter values were invalid: Cannot update attribute pk. This attribute is part
  // of the key", and paths into key attributes: check once the table is known.
  [[nodiscard]] Result<void, std::string> check_keys(const model::KeySchema& schema) const;
  // `old`: the stored item.
  [[nodiscard]] Result<UpdateOutcome, std::string> apply(const model::Item& old) const;
  // The same where there is no item yet.  `key`: its key attributes.  Other than in an item that
  // lacks them, paths of REMOVE that lead nowhere are ignored.
  [[nodiscard]] Result<UpdateOutcome, std::string> create(const model::Item& key) const;
  // Whether it has actions and all of them only take away (REMOVE, DELETE).  Such an update creates
  // no item where there is none.
  [[nodiscard]] bool only_deletes() const;

 private:
  // Paths that values are read from.
  [[nodiscard]] std::vector<Path> operand_paths() const;

  std::shared_ptr<const UpdateActions> actions_;
};

Result<Update, std::string> parse_update(std::string_view text, Placeholders& placeholders);

}  // namespace meridian::expr
