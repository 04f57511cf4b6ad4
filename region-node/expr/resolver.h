// Resolver: replaces placeholders in parse trees, in place, and knows the functions.
//
// Threads: one owner.  Borrows: the placeholders.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "region-node/expr/ast.h"
#include "region-node/expr/findings.h"
#include "region-node/expr/placeholders.h"

namespace meridian::expr {

struct FunctionInfo {
  Function function;
  const char* name;
  std::size_t operand_count;
  bool in_conditions;  // else in updates
};
// Null when there is no such function; names are case-sensitive.
const FunctionInfo* find_function(std::string_view name);

// The type that an operand will have whatever the item holds; empty when the item decides.
std::optional<model::AttributeType> known_type(const Operand& operand);
// "Incorrect operand type for operator or function; operator or function: +, operand type: S"
std::string wrong_type(const std::string& operation, const std::string& type);
std::string wrong_count(const std::string& operation, std::size_t count);
std::string needs_path(const std::string& operation);

class Resolver {
 public:
  explicit Resolver(Placeholders& placeholders) : placeholders_(placeholders) {}

  // Names that DynamoDB keeps for itself, in a path as written.
  static void check_reserved(const Path& path, Findings& findings);
  // Replaces "#name"s and ":value"s.
  void resolve(Path& path, Findings& findings);
  void resolve_value(Operand& operand, Findings& findings);
  // Notes overlaps and conflicts among resolved paths.
  static void check_apart(const std::vector<const Path*>& paths, Findings& findings);

 private:
  void resolve_name(std::string& name, Findings& findings);

  Placeholders& placeholders_;
};

}  // namespace meridian::expr
