#include "region-node/expr/projection.h"

#include <map>
#include <optional>

#include "region-node/expr/resolver.h"
#include "region-node/expr/syntax.h"

namespace meridian::expr {
namespace {

using model::AttributeList;
using model::AttributeMap;
using model::AttributeValue;

// What is wanted below one node of the item.
struct Selection {
  bool whole = false;
  std::map<std::string, Selection, std::less<>> members;
  std::map<std::uint32_t, Selection> elements;
};

void select(Selection& root, const Path& path) {
  Selection* at = &root.members[path.attribute];
  for (const auto& step : path.steps) {
    if (const auto* name = std::get_if<std::string>(&step)) {
      at = &at->members[*name];
    } else {
      at = &at->elements[*std::get_if<std::uint32_t>(&step)];
    }
  }
  at->whole = true;
}

std::optional<AttributeValue> pick(const AttributeValue& value, const Selection& selection);

AttributeMap pick_members(const AttributeMap& map, const Selection& selection) {
  AttributeMap out;
  for (const auto& [name, below] : selection.members) {
    auto at = map.find(name);
    if (at == map.end()) continue;
    if (auto picked = pick(at->second, below))
      out.emplace_hint(out.end(), name, std::move(*picked));
  }
  return out;
}

std::optional<AttributeValue> pick(const AttributeValue& value, const Selection& selection) {
  if (selection.whole) return value;
  if (const auto* map = value.as<AttributeMap>()) {
    AttributeMap out = pick_members(*map, selection);
    if (out.empty()) return std::nullopt;
    return AttributeValue(std::move(out));
  }
  const auto* list = value.as<AttributeList>();
  if (list == nullptr) return std::nullopt;
  AttributeList out;
  for (const auto& [index, below] : selection.elements) {
    if (index >= list->size()) break;
    if (auto picked = pick((*list)[index], below)) out.push_back(std::move(*picked));
  }
  if (out.empty()) return std::nullopt;
  return AttributeValue(std::move(out));
}

class ProjectionParser : public Syntax {
 public:
  explicit ProjectionParser(std::string_view text) : Syntax(text, {}, GroupedPaths::refused) {}

  bool parse(std::vector<Path>& out) {
    do {
      if (!parse_path(out.emplace_back())) return false;
    } while (accept_symbol(","));
    return expect_end();
  }
};

}  // namespace

model::Item project(const model::Item& item, const std::vector<Path>& paths) {
  Selection root;
  for (const auto& path : paths) select(root, path);
  return pick_members(item, root);
}

Result<Projection, std::string> parse_projection(std::string_view text,
                                                 Placeholders& placeholders) {
  if (auto error = check_length(Parameter::projection, text)) return Err(std::move(*error));
  ProjectionParser parser(text);
  std::vector<Path> paths;
  if (!parser.parse(paths)) return Err(invalid(Parameter::projection, parser.error()));
  Findings& findings = parser.findings();
  Resolver resolver(placeholders);
  std::vector<const Path*> resolved;
  for (auto& path : paths) {
    Resolver::check_reserved(path, findings);
    resolver.resolve(path, findings);
    resolved.push_back(&path);
  }
  Resolver::check_apart(resolved, findings);
  auto error = findings.first({Mistake::limit, Mistake::reserved_word, Mistake::undefined_name,
                               Mistake::path_overlap, Mistake::path_conflict});
  if (error) return Err(invalid(Parameter::projection, *error));
  return Projection(std::move(paths));
}

}  // namespace meridian::expr
