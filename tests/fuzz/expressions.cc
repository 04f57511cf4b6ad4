// Expressions: parsed as everything they might be, and what parses is run against items.
//
// Input: an expression, and after a zero byte the seed of the values and the item that it meets.
// Whatever comes, the parsers answer; what they compile answers the same every time; and an update
// leaves an item that the store can keep.
#include <string>

#include "common/rng.h"
#include "region-node/expr/condition.h"
#include "region-node/expr/key_condition.h"
#include "region-node/expr/projection.h"
#include "region-node/expr/update.h"
#include "region-node/model/image.h"
#include "region-node/model/item_size.h"
#include "tests/fuzz/fuzz.h"
#include "tests/unit/model/random_values.h"

namespace meridian::fuzz {
namespace {

using model::AttributeMap;
using model::AttributeType;
using model::Item;

constexpr std::size_t kDepth = 4;  // of values and items

const expr::Placeholders::Names kNames{{"#a", "a"}, {"#b", "b"}, {"#c", "c.d"}};

// Everything that an expression of the input may name.
struct Surroundings {
  explicit Surroundings(std::string_view seed) : rng(hash64(seed)) {
    for (const char* name : {":a", ":b", ":c", ":d"})
      values.emplace(name, model::random_value(rng, kDepth));
    values.emplace(":n", model::NumberValue{model::random_number(rng)});
    values.emplace(":s", model::StringValue{model::random_bytes(rng, 6)});
    for (const char* name : {"a", "b", "c.d", "d"})
      if (rng.percent(80)) item.emplace(name, model::random_value(rng, kDepth));
    item.emplace("m", AttributeMap{{"a", model::random_value(rng, kDepth)}});
    item.emplace("l", model::AttributeList{model::random_value(rng, kDepth), true});
    item.emplace("n", model::NumberValue{model::random_number(rng)});
    constexpr AttributeType kKeyTypes[] = {AttributeType::S, AttributeType::N, AttributeType::B};
    schema.partition = {"a", kKeyTypes[rng.below(3)]};
    if (rng.percent(80)) schema.sort = model::KeyAttribute{"b", kKeyTypes[rng.below(3)]};
  }

  Rng rng;
  AttributeMap values;
  Item item;
  model::KeySchema schema;
};

void check_item(const Item& item) {
  auto decoded = model::decode_image(model::encode_image(item));
  expect(decoded == item, "an updated item is stored and read as it is");
}

void try_condition(std::string_view text, Surroundings& around, expr::Parameter parameter) {
  expr::Placeholders placeholders(&kNames, &around.values);
  auto condition = expr::parse_condition(text, parameter, placeholders);
  if (!condition.ok()) return;
  expect(condition->evaluate(around.item) == condition->evaluate(around.item), "one truth");
  (void)condition->evaluate({});
  (void)condition->attributes();
  (void)expr::check_key_paths(around.schema, condition->paths());
}

void try_update(std::string_view text, Surroundings& around) {
  expr::Placeholders placeholders(&kNames, &around.values);
  auto update = expr::parse_update(text, placeholders);
  if (!update.ok()) return;
  (void)update->check_keys(around.schema);
  (void)update->only_deletes();
  if (auto made = update->create({}); made.ok()) check_item(made->item);
  auto outcome = update->apply(around.item);
  if (!outcome.ok()) return;
  check_item(outcome->item);
  expect(model::item_size(outcome->item) <= model::kItemBytesMax, "the size limit is kept");
  check_item(expr::project(around.item, outcome->updated));
  check_item(expr::project(outcome->item, outcome->updated));
  auto again = update->apply(around.item);
  expect(again.ok() && again->item == outcome->item, "one outcome");
}

void try_projection(std::string_view text, Surroundings& around) {
  expr::Placeholders placeholders(&kNames, &around.values);
  auto projection = expr::parse_projection(text, placeholders);
  if (!projection.ok()) return;
  auto part = projection->apply(around.item);
  check_item(part);
  expect(model::item_size(part) <= model::item_size(around.item), "a part is no larger");
}

void try_key_condition(std::string_view text, Surroundings& around) {
  expr::Placeholders placeholders(&kNames, &around.values);
  auto condition = expr::parse_key_condition(text, around.schema, placeholders);
  if (condition.ok()) (void)expr::encoded_range(around.schema, *condition);
}

}  // namespace

void run(std::string_view rest) {
  auto text = take_until(rest, '\0');
  Surroundings around(rest);
  try_condition(text, around, expr::Parameter::condition);
  try_condition(text, around, expr::Parameter::filter);
  try_update(text, around);
  try_projection(text, around);
  try_key_condition(text, around);
}

}  // namespace meridian::fuzz
