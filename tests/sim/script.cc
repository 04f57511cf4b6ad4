#include "tests/sim/script.h"

#include <fmt/format.h>

#include <algorithm>
#include <sstream>
#include <stdexcept>

#include "tests/sim/shape_fields.h"

namespace meridian::sim {
namespace {

constexpr const char* kHeading = "sim-script 1";

struct EventText {
  const char* name;
  std::vector<const char*> args;
};

// In the order of EventKind.
const std::vector<EventText>& event_texts() {
  static const std::vector<EventText> kTexts = {
      {"put", {"region", "key", "bytes"}},
      {"insert", {"region", "key", "bytes"}},
      {"append", {"region", "key", "bytes"}},
      {"remove", {"region", "key", "bytes"}},
      {"same", {"region", "key", "bytes"}},
      {"poison", {"region", "key", "bytes"}},
      {"crash_node", {"region", "down_us", "how"}},
      {"crash_replicator", {"region", "down_us"}},
      {"stop_replicator", {"region", "down_us"}},
      {"crash_worker", {"region", "down_us"}},
      {"reboot", {"region", "down_us", "step_us"}},
      {"twin", {"region", "for_us"}},
      {"cut", {"from", "to", "for_us"}},
      {"step_clock", {"region", "by_us", "for_us"}},
      {"pause", {"from", "to", "for_us"}},
      {"disk_full", {"region", "for_us"}},
      {"disk_fault", {"region", "fault", "nth", "down_us"}},
      {"damage", {"region", "bit"}},
      {"control", {"region", "what"}},
      {"join", {"region"}},
      {"drain", {"from", "to", "for_us"}},
      {"copy_store", {"region"}},
      {"restore_store", {"region", "down_us"}},
      {"lose_store", {"region", "down_us", "checkpoints"}},
  };
  return kTexts;
}

[[noreturn]] void bad(std::size_t line, const std::string& what) {
  throw std::runtime_error(fmt::format("line {}: {}", line, what));
}

Event parse_event(std::istringstream& words, std::size_t line) {
  Event event;
  std::string name;
  if (!(words >> event.at_us >> name)) bad(line, "an event is: at MICROSECONDS NAME ARGUMENTS");
  const auto& texts = event_texts();
  auto text = std::find_if(texts.begin(), texts.end(),
                           [&name](const EventText& each) { return name == each.name; });
  if (text == texts.end()) bad(line, "no such event: " + name);
  event.kind = static_cast<EventKind>(text - texts.begin());
  for (std::string word; words >> word;) {
    auto split = word.find('=');
    auto arg = std::find_if(text->args.begin(), text->args.end(), [&](const char* each) {
      return word.compare(0, split, each) == 0;
    });
    if (split == std::string::npos || arg == text->args.end()) bad(line, "not understood: " + word);
    event.args[static_cast<std::size_t>(arg - text->args.begin())] =
        std::stoll(word.substr(split + 1));
  }
  return event;
}

void set_field(Shape& shape, const std::string& name, const std::string& value, std::size_t line) {
  bool found = false;
  visit_fields(shape, [&](const std::string& field, auto& slot) {
    if (field != name) return;
    found = true;
    slot = static_cast<std::remove_reference_t<decltype(slot)>>(std::stoll(value));
  });
  if (!found) bad(line, "no such field: " + name);
}

}  // namespace

std::string to_text(const Event& event) {
  const EventText& text = event_texts().at(static_cast<std::size_t>(event.kind));
  std::string out = fmt::format("at {} {}", event.at_us, text.name);
  for (std::size_t i = 0; i < text.args.size(); ++i)
    if (i == 0 || event.args[i] != 0) out += fmt::format(" {}={}", text.args[i], event.args[i]);
  return out;
}

std::string to_text(const Script& script) {
  Shape shape = script.shape;
  std::string out = fmt::format("{}\nregions {}\nseed {}\n", kHeading, shape.regions.size(),
                                shape.seed);
  std::vector<std::int64_t> plain;
  Shape defaults = plain_shape(shape.seed, shape.regions.size());
  visit_fields(defaults, [&](const std::string&, auto& value) {
    plain.push_back(static_cast<std::int64_t>(value));
  });
  std::size_t at = 0;
  visit_fields(shape, [&](const std::string& name, auto& value) {
    auto number = static_cast<std::int64_t>(value);
    if (number != plain[at++]) out += fmt::format("{} {}\n", name, number);
  });
  for (const Event& event : script.events) out += to_text(event) + "\n";
  return out;
}

Script parse_script(const std::string& text) {
  std::istringstream lines(text);
  std::size_t number = 0;
  bool begun = false;
  std::optional<Script> script;
  for (std::string line; std::getline(lines, line);) {
    ++number;
    if (line.empty() || line[0] == '#') continue;
    if (!begun) {
      if (line != kHeading) bad(number, std::string("a script begins with: ") + kHeading);
      begun = true;
      continue;
    }
    std::istringstream words(line);
    std::string first;
    std::string value;
    words >> first;
    if (first == "at" && script) {
      script->events.push_back(parse_event(words, number));
      continue;
    }
    if (!(words >> value)) bad(number, "a field is: NAME NUMBER");
    if (first == "regions") {
      script.emplace();
      script->shape = plain_shape(0, static_cast<std::size_t>(std::stoul(value)));
    } else if (!script) {
      bad(number, "regions come first");
    } else if (first == "seed") {
      script->shape.seed = std::stoull(value);
    } else {
      set_field(script->shape, first, value, number);
    }
  }
  if (!script) bad(number, "no regions");
  return std::move(*script);
}

}  // namespace meridian::sim
