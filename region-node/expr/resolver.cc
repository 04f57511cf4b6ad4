#include "region-node/expr/resolver.h"

#include <map>

#include "region-node/expr/reserved_words.h"

namespace meridian::expr {
namespace {

constexpr FunctionInfo kFunctions[] = {
    {Function::attribute_exists, "attribute_exists", 1, true},
    {Function::attribute_not_exists, "attribute_not_exists", 1, true},
    {Function::attribute_type, "attribute_type", 2, true},
    {Function::begins_with, "begins_with", 2, true},
    {Function::contains, "contains", 2, true},
    {Function::size, "size", 1, true},
    {Function::if_not_exists, "if_not_exists", 2, false},
    {Function::list_append, "list_append", 2, false},
};

void check_reserved_name(const std::string& name, Findings& findings) {
  if (name.starts_with('#') || !is_reserved(name)) return;
  findings.note(Mistake::reserved_word,
                "Attribute name is a reserved keyword; reserved keyword: " + name);
}

std::string pair_error(const char* what, const Path& one, const Path& two) {
  return std::string("Two document paths ") + what +
         " with each other; must remove or rewrite one of these paths; path one: " + to_text(one) +
         ", path two: " + to_text(two);
}

}  // namespace

const FunctionInfo* find_function(std::string_view name) {
  for (const auto& info : kFunctions) {
    if (name == info.name) return &info;
  }
  return nullptr;
}

std::optional<model::AttributeType> known_type(const Operand& operand) {
  if (operand.kind == Operand::Kind::value) return operand.value->type();
  if (operand.kind == Operand::Kind::function && operand.function == Function::size)
    return model::AttributeType::N;
  return std::nullopt;
}

std::string wrong_type(const std::string& operation, const std::string& type) {
  return "Incorrect operand type for operator or function; operator or function: " + operation +
         ", operand type: " + type;
}

std::string wrong_count(const std::string& operation, std::size_t count) {
  return "Incorrect number of operands for operator or function; operator or function: " +
         operation + ", number of operands: " + std::to_string(count);
}

std::string needs_path(const std::string& operation) {
  return "Operator or function requires a document path; operator or function: " + operation;
}

void Resolver::check_reserved(const Path& path, Findings& findings) {
  check_reserved_name(path.attribute, findings);
  for (const auto& step : path.steps) {
    if (const auto* name = std::get_if<std::string>(&step)) check_reserved_name(*name, findings);
  }
}

void Resolver::resolve_name(std::string& name, Findings& findings) {
  if (!name.starts_with('#')) return;
  if (const std::string* meaning = placeholders_.name(name)) {
    name = *meaning;
    return;
  }
  findings.note(Mistake::undefined_name,
                "An expression attribute name used in the document path is not defined; "
                "attribute name: " +
                    name);
}

void Resolver::resolve(Path& path, Findings& findings) {
  resolve_name(path.attribute, findings);
  for (auto& step : path.steps) {
    if (auto* name = std::get_if<std::string>(&step)) resolve_name(*name, findings);
  }
}

void Resolver::resolve_value(Operand& operand, Findings& findings) {
  operand.value = placeholders_.value(operand.token);
  if (operand.value != nullptr) return;
  operand.value = std::make_shared<const model::AttributeValue>();  // for the checks that follow
  findings.note(Mistake::undefined_value,
                "An expression attribute value used in expression is not defined; attribute "
                "value: " +
                    operand.token);
}

void Resolver::check_apart(const std::vector<const Path*>& paths, Findings& findings) {
  // By attribute, because only paths of one attribute can meet.
  std::map<std::string_view, std::vector<const Path*>> seen;
  for (const Path* path : paths) {
    auto& others = seen[path->attribute];
    for (const Path* other : others) {
      PathRelation how = relation(*other, *path);
      if (how == PathRelation::conflict)
        findings.note(Mistake::path_conflict, pair_error("conflict", *other, *path));
      if (how == PathRelation::overlap) {
        findings.note(Mistake::path_overlap, pair_error("overlap", *other, *path));
        return;  // no mistake between paths is told before this one
      }
    }
    others.push_back(path);
  }
}

}  // namespace meridian::expr
