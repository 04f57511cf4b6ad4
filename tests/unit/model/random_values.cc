#include "tests/unit/model/random_values.h"

#include <algorithm>

#include "region-node/model/number.h"

namespace meridian::model {
namespace {

template <typename Set>
AttributeValue random_bytes_set(Rng& rng) {
  std::vector<std::string> values;
  for (std::uint64_t i = 0; i <= rng.below(4); ++i) values.push_back(random_bytes(rng, 4));
  std::sort(values.begin(), values.end());
  values.erase(std::unique(values.begin(), values.end()), values.end());
  return Set{std::move(values)};
}

AttributeValue random_number_set(Rng& rng) {
  std::vector<std::string> values;
  for (std::uint64_t i = 0; i <= rng.below(4); ++i) values.push_back(random_number(rng));
  std::sort(values.begin(), values.end(),
            [](const auto& a, const auto& b) { return compare_numbers(a, b) < 0; });
  values.erase(std::unique(values.begin(), values.end()), values.end());
  return NumberSet{std::move(values)};
}

AttributeMap random_map(Rng& rng, std::size_t depth) {
  AttributeMap map;
  for (std::uint64_t i = 0; i < rng.below(4); ++i)
    map.insert_or_assign(random_bytes(rng, 3), random_value(rng, depth));
  return map;
}

}  // namespace

std::string random_bytes(Rng& rng, std::size_t length_max) {
  static constexpr char kBytes[] = {'\0', '\0', '\x01', '\x02', 'a', 'b', '\xfe', '\xff'};
  std::string out;
  for (std::uint64_t i = 0, size = rng.below(length_max + 1); i < size; ++i)
    out.push_back(kBytes[rng.below(sizeof(kBytes))]);
  return out;
}

std::string random_number(Rng& rng) {
  std::string text = rng.percent(50) ? "-" : "";
  for (std::uint64_t i = 0, size = 1 + rng.below(38); i < size; ++i)
    text.push_back(static_cast<char>('0' + rng.below(rng.percent(50) ? 10 : 2)));
  text += "e" + std::to_string(rng.percent(70) ? rng.between(-6, 3) : rng.between(-130, 80));
  return canonical_number(text).value();
}

AttributeValue random_value(Rng& rng, std::size_t depth) {
  switch (rng.below(depth > 0 ? 10 : 8)) {
    case 0: return StringValue{random_bytes(rng, 6)};
    case 1: return NumberValue{random_number(rng)};
    case 2: return BinaryValue{random_bytes(rng, 6)};
    case 3: return rng.percent(50);
    case 4: return NullValue{};
    case 5: return random_bytes_set<StringSet>(rng);
    case 6: return random_number_set(rng);
    case 7: return random_bytes_set<BinarySet>(rng);
    case 8: return random_map(rng, depth - 1);
    default: break;
  }
  AttributeList list;
  for (std::uint64_t i = 0; i < rng.below(4); ++i) list.push_back(random_value(rng, depth - 1));
  return list;
}

Item random_item(Rng& rng) { return random_map(rng, 4); }

}  // namespace meridian::model
