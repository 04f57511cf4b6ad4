#include "region-node/admin/item_json.h"

#include <boost/json/array.hpp>
#include <boost/json/parse.hpp>

#include "region-node/admin/target.h"
#include "region-node/model/image.h"
#include "region-node/model/key.h"
#include "region-node/model/number.h"

namespace meridian::admin {
namespace json = boost::json;

namespace {

json::value value_of(const model::AttributeValue& value);

json::array texts_of(const std::vector<std::string>& values) {
  json::array out;
  for (const auto& value : values) out.emplace_back(value);
  return out;
}

struct Contents {
  json::value operator()(const model::StringValue& value) const { return json::value(value.text); }
  json::value operator()(const model::NumberValue& value) const { return json::value(value.text); }
  json::value operator()(const model::BinaryValue& value) const {
    return json::value(to_base64(value.bytes));
  }
  json::value operator()(bool value) const { return value; }
  json::value operator()(const model::NullValue&) const { return true; }
  json::value operator()(const model::AttributeMap& map) const { return to_json(map); }
  json::value operator()(const model::AttributeList& list) const {
    json::array out;
    for (const auto& value : list) out.push_back(value_of(value));
    return out;
  }
  json::value operator()(const model::StringSet& set) const { return texts_of(set.values); }
  json::value operator()(const model::NumberSet& set) const { return texts_of(set.values); }
  json::value operator()(const model::BinarySet& set) const {
    json::array out;
    for (const auto& value : set.values) out.emplace_back(to_base64(value));
    return out;
  }
};

json::value value_of(const model::AttributeValue& value) {
  return json::object{{model::type_name(value.type()), std::visit(Contents{}, value.variant())}};
}

// Keys hold only S, N and B.
std::optional<model::AttributeValue> key_value(const json::value& value) {
  if (!value.is_object() || value.as_object().size() != 1) return std::nullopt;
  const auto& [type, content] = *value.as_object().begin();
  if (!content.is_string()) return std::nullopt;
  std::string text(content.as_string());
  if (type == "S") return model::AttributeValue(model::StringValue{text});
  if (type == "N") {
    auto number = model::canonical_number(text);
    if (!number.ok()) return std::nullopt;
    return model::AttributeValue(model::NumberValue{std::move(*number)});
  }
  auto bytes = from_base64(text);
  if (type != "B" || !bytes) return std::nullopt;
  return model::AttributeValue(model::BinaryValue{std::move(*bytes)});
}

}  // namespace

json::object to_json(const model::Item& item) {
  json::object out;
  for (const auto& [name, value] : item) out[name] = value_of(value);
  return out;
}

json::value image_to_json(const std::optional<Bytes>& image) {
  if (!image) return nullptr;
  auto item = model::decode_image(*image);
  if (!item) return json::object{{"undecodable", to_base64(*image)}};
  return to_json(*item);
}

std::optional<Bytes> key_from_json(const model::KeySchema& schema, std::string_view text) {
  boost::system::error_code error;
  json::value parsed = json::parse(text, error);
  if (error || !parsed.is_object()) return std::nullopt;
  model::Item item;
  for (const auto& [name, value] : parsed.as_object()) {
    auto attribute = key_value(value);
    if (!attribute) return std::nullopt;
    item.emplace(std::string(name), std::move(*attribute));
  }
  auto key = model::encode_exact_key(schema, item);
  if (!key.ok()) return std::nullopt;
  return std::move(*key);
}

json::object to_json(const conflict::Lineage& lineage) {
  json::object context;
  for (const auto& entry : lineage.context.entries())
    context[std::string(entry.region.name())] = hex16(entry.hlc.value);
  return {{"version", conflict::to_text(lineage.version)},
          {"version_hex", to_hex(conflict::encode_version(lineage.version))},
          {"context", std::move(context)}};
}

}  // namespace meridian::admin
