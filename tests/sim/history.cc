#include "tests/sim/history.h"

#include <fmt/format.h>

#include "common/check.h"
#include "region-node/model/image.h"
#include "region-node/model/key.h"

namespace meridian::sim {
namespace {

constexpr std::uint32_t kKeysPerPartition = 3;
constexpr std::size_t kLineageMax = 6;

using model::AttributeValue;
using model::Item;
using model::StringValue;

// Keys of this number and above are nobody's: a poison record's image says that it is theirs.
constexpr std::uint32_t kNobodys = 1'000'000;

Item key_item(std::uint32_t key_number) {
  return {{"pk", StringValue{fmt::format("p{}", key_number / kKeysPerPartition)}},
          {"sk", StringValue{fmt::format("s{}", key_number % kKeysPerPartition)}}};
}

// An item that names its write, so that every image in a run is told apart; `lineage` names the
// writes that an append built on.
Bytes image_of(std::uint32_t key_number, WriteId id, std::size_t bytes,
               const model::AttributeList& lineage) {
  Item item = key_item(key_number);
  item.emplace("by", StringValue{fmt::format("w{}", id)});
  item.emplace("on", lineage);
  if (bytes > 0) {
    auto letter = static_cast<char>('a' + id % 26);
    item.emplace("pad", StringValue{std::string(bytes, letter)});
  }
  return model::encode_image(item);
}

model::AttributeList lineage_of(BytesView image) {
  auto item = model::decode_image(image);
  MERIDIAN_CHECK(item.has_value());
  model::AttributeList lineage;
  if (const auto* on = item->at("on").as<model::AttributeList>()) lineage = *on;
  lineage.push_back(item->at("by"));
  if (lineage.size() > kLineageMax) lineage.erase(lineage.begin());
  return lineage;
}

}  // namespace

const char* write_kind_name(WriteKind kind) {
  static constexpr const char* kNames[] = {"put", "insert", "append", "remove", "same",
                                           "poison"};
  return kNames[static_cast<std::size_t>(kind)];
}

store::Verdict ClientMutation::put(Bytes image) {
  wanted_ = image;
  return {store::Verdict::Kind::put, std::move(image)};
}

store::Verdict ClientMutation::evaluate(std::optional<BytesView> current) {
  evaluated_ = true;
  shown_.reset();
  if (current) shown_ = Bytes(*current);
  wanted_ = shown_;
  switch (kind_) {
    case WriteKind::put: return put(image_of(key_number_, id_, bytes_, {}));
    case WriteKind::insert:
      if (current) return {store::Verdict::Kind::reject, {}};
      return put(image_of(key_number_, id_, bytes_, {}));
    case WriteKind::append:
      return put(
          image_of(key_number_, id_, bytes_,
                   current ? lineage_of(*current) : model::AttributeList{}));
    case WriteKind::remove: wanted_.reset(); return {store::Verdict::Kind::remove, {}};
    case WriteKind::poison: return put(image_of(key_number_ + kNobodys, id_, bytes_, {}));
    case WriteKind::same:
      if (!current) return {store::Verdict::Kind::reject, {}};
      return put(Bytes(*current));
  }
  return {};
}

const model::KeySchema& sim_schema() {
  static const model::KeySchema kSchema{{"pk", model::AttributeType::S},
                                        model::KeyAttribute{"sk", model::AttributeType::S}};
  return kSchema;
}

Bytes key_of(std::uint32_t key_number) {
  auto key = model::encode_exact_key(sim_schema(), key_item(key_number));
  MERIDIAN_CHECK(key.ok());
  return *key;
}

Write& History::begin(std::size_t region, std::uint32_t key_number, WriteKind kind,
                      std::size_t bytes) {
  auto id = static_cast<WriteId>(writes_.size());
  writes_.push_back({});
  Write& write = writes_.back();
  write.id = id;
  write.region = region;
  write.key_number = key_number;
  write.kind = kind;
  write.mutation = std::make_shared<ClientMutation>(id, kind, key_number, bytes);
  by_key_[key_number].push_back(id);
  if (key_numbers_.empty())
    for (std::uint32_t i = 0; i < by_key_.size(); ++i) key_numbers_.emplace(key_of(i), i);
  return write;
}

void History::acknowledge(Write& write, const conflict::Version& version, std::int64_t true_us,
                          std::int64_t wall_us) {
  write.state = WriteState::acknowledged;
  write.version = version;
  write.acknowledged_us = true_us;
  write.acknowledged_wall_us = wall_us;
  // A region that was restored, and has not found out, with a clock that went back, may mint a version for
  // another write once more.
  auto& named = by_version_.try_emplace(version, write.id).first->second;
  if (writes_[named].origin_forgot) named = write.id;
}

std::optional<std::uint32_t> History::key_number(BytesView key) const {
  auto at = key_numbers_.find(Bytes(key));
  if (at == key_numbers_.end()) return std::nullopt;
  return at->second;
}

std::vector<const Write*> History::between(conflict::Hlc after, conflict::Hlc to) const {
  std::vector<const Write*> out;
  for (auto at = by_version_.lower_bound({after.next(), {}}); at != by_version_.end(); ++at) {
    if (at->first.hlc > to) break;
    out.push_back(&writes_[at->second]);
  }
  return out;
}

const Write* History::find(const conflict::Version& version) const {
  auto at = by_version_.find(version);
  return at == by_version_.end() ? nullptr : &writes_[at->second];
}

const Write* History::winner(std::uint32_t key_number) const {
  const Write* best = nullptr;
  for (WriteId id : by_key_[key_number]) {
    const Write& write = writes_[id];
    if (write.state != WriteState::acknowledged) continue;
    if (best == nullptr || write.version > best->version) best = &write;
  }
  return best;
}

const Write* History::unknown(std::uint32_t key_number, const conflict::Version& version,
                              const std::optional<Bytes>& image,
                              const std::vector<RegionId>& regions) const {
  for (WriteId id : by_key_[key_number]) {
    const Write& write = writes_[id];
    if (write.state != WriteState::unknown || regions[write.region] != version.region) continue;
    if (write.mutation->evaluated() && write.mutation->wanted() == image) return &write;
  }
  return nullptr;
}

std::size_t History::count(WriteState state) const {
  std::size_t count = 0;
  for (const auto& write : writes_) count += write.state == state ? 1 : 0;
  return count;
}

std::string describe(const Write& write) {
  std::string version =
      write.state == WriteState::acknowledged ? conflict::to_text(write.version) : "no answer";
  return fmt::format("{} w{} of key {} in region {} ({})", write_kind_name(write.kind), write.id,
                     write.key_number, write.region, version);
}

}  // namespace meridian::sim
