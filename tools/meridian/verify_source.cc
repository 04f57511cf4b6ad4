#include "tools/meridian/verify_source.h"

#include <boost/json/array.hpp>
#include <boost/json/serialize.hpp>

#include <algorithm>
#include <stdexcept>

#include "tools/meridian/client.h"

namespace meridian::cli {
namespace json = boost::json;

namespace {

constexpr std::size_t kKeysAtOnce = 500;  // some 6 MB, were they as long as can be
constexpr std::int64_t kPageMsMax = 30'000;

std::uint64_t number_of_hex(std::string_view hex) {
  auto bytes = from_hex(hex);
  BytesView view = bytes ? BytesView(*bytes) : BytesView();
  auto value = take_u64(view);
  if (!value || !view.empty())
    throw std::runtime_error("a region answered '" + std::string(hex) + "' for a number");
  return *value;
}

std::string hex_of_number(std::uint64_t number) {
  Bytes bytes;
  put_u64(bytes, number);
  return to_hex(bytes);
}

Bytes bytes_of_hex(std::string_view hex) {
  auto bytes = from_hex(hex);
  if (!bytes) throw std::runtime_error("a region answered '" + std::string(hex) + "' for bytes");
  return std::move(*bytes);
}

std::uint64_t number_at(const json::object& object, std::string_view name) {
  return number_of_hex(text_at(object, name));
}

// How far an answer reaches.
std::optional<Bytes> reach_of(const json::object& answer) {
  const json::value& to = answer.at("to");
  if (to.is_null()) return std::nullopt;
  return bytes_of_hex(to.as_string());
}

// What lies before the next `mark`, which is taken too.
std::string_view take_until(std::string_view& text, char mark) {
  std::size_t at = text.find(mark);
  if (at == std::string_view::npos) throw std::runtime_error("a region answered half a row");
  std::string_view out = text.substr(0, at);
  text.remove_prefix(at + 1);
  return out;
}

// "KEY VERSION HASH i;"
VerifyRow take_head(std::string_view& text) {
  VerifyRow row;
  row.key = bytes_of_hex(take_until(text, ' '));
  row.version = bytes_of_hex(take_until(text, ' '));
  row.image_hash = number_of_hex(take_until(text, ' '));
  row.tombstone = take_until(text, ';') == "t";
  return row;
}

VerifyRow read_row(const json::object& object) {
  VerifyRow row;
  row.key = bytes_of_hex(text_at(object, "key"));
  row.version = bytes_of_hex(text_at(object, "version_hex"));
  row.version_text = text_at(object, "version");
  row.image_hash = number_at(object, "image_hash");
  row.tombstone = object.at("tombstone").as_bool();
  row.readable_key = json::serialize(object.at("key_json"));
  return row;
}

class RegionRows final : public RowSource {
 public:
  RegionRows(const Endpoints& region, const std::string& table)
      : region_(region.name), client_(region.admin, kPageMsMax), path_("/v1/tables/" + table) {}

  conflict::Hlc collected() override {
    auto answer = object_of(post(client_, path_ + "/rows", R"({"keys":[]})"));
    return conflict::Hlc{number_at(answer, "collected")};
  }

  RangeDigest digest(BytesView after, const std::optional<Bytes>& to,
                     conflict::Hlc horizon) override {
    auto answer = object_of(post(client_, path_ + "/digest", question(after, to, horizon)));
    return {reach_of(answer), number_at(answer, "sum"),
            answer.at("items").to_number<std::uint64_t>(),
            answer.at("tombstones").to_number<std::uint64_t>()};
  }

  std::vector<VerifyRow> rows(BytesView after, const std::optional<Bytes>& to,
                              conflict::Hlc horizon) override {
    std::vector<VerifyRow> out;
    Bytes from(after);
    for (;;) {
      auto answer = object_of(post(client_, path_ + "/heads", question(from, to, horizon)));
      std::string_view rows = answer.at("rows").as_string();
      while (!rows.empty()) out.push_back(take_head(rows));
      auto reach = reach_of(answer);
      if (reach == to) return out;
      if (!reach || *reach <= from)
        throw std::runtime_error("a region answered a range that does not advance");
      from = *reach;
    }
  }

  std::vector<std::optional<VerifyRow>> read(const std::vector<Bytes>& keys) override {
    std::vector<std::optional<VerifyRow>> out;
    for (std::size_t at = 0; at < keys.size(); at += kKeysAtOnce) {
      json::array asked;
      for (std::size_t i = at; i < std::min(keys.size(), at + kKeysAtOnce); ++i)
        asked.emplace_back(to_hex(keys[i]));
      auto answer = object_of(post(client_, path_ + "/rows",
                                   json::serialize(json::object{{"keys", std::move(asked)}})));
      for (const auto& row : answer.at("rows").as_array())
        out.push_back(row.is_null() ? std::optional<VerifyRow>() : read_row(row.as_object()));
    }
    return out;
  }

 private:
  static std::string question(BytesView after, const std::optional<Bytes>& to,
                              conflict::Hlc horizon) {
    json::value end = to ? json::value(to_hex(*to)) : json::value(nullptr);
    return json::serialize(json::object{{"after", to_hex(after)},
                                        {"to", std::move(end)},
                                        {"horizon", hex_of_number(horizon.value)}});
  }

  [[nodiscard]] json::object object_of(const Fetched& answer) const {
    return expect_object(region_, answer);
  }

  const std::string region_;
  AdminClient client_;
  const std::string path_;
};

}  // namespace

std::unique_ptr<RowSource> rows_of_region(const Endpoints& region, const std::string& table) {
  return std::make_unique<RegionRows>(region, table);
}

}  // namespace meridian::cli
