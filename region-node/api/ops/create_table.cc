#include <map>

#include "region-node/api/ops/ops.h"
#include "region-node/api/ops/table_params.h"
#include "region-node/api/request.h"
#include "region-node/api/write_outcome.h"

namespace meridian::api::ops {
namespace {

constexpr std::string_view kInvalid = "One or more parameter values were invalid: ";

using Definitions = std::map<std::string, model::AttributeType>;

void report_invalid(Problems& problems, std::string what) {
  problems.report(ApiError::validation(std::string(kInvalid) + what));
}

Definitions read_definitions(const JsonObject& input, Constraints& constraints,
                             Problems& problems) {
  Definitions out;
  auto list = input.get("AttributeDefinitions").array(problems);
  constraints.required(input.get("AttributeDefinitions").present(), "attributeDefinitions");
  for (std::size_t i = 0; list && i < list->size(); ++i) {
    auto one = list->at(i).object(problems);
    if (!one) break;
    std::string member = "attributeDefinitions." + std::to_string(i + 1) + ".member.";
    auto name = one->get("AttributeName").text(problems);
    auto type = one->get("AttributeType").text(problems);
    constraints.required(name.has_value(), member + "attributeName");
    constraints.required(type.has_value(), member + "attributeType");
    constraints.one_of(type, member + "attributeType", {"B", "N", "S"});
    if (name && name->empty())
      constraints.fail("", member + "attributeName", "have length greater than or equal to 1");
    if (name && name->size() > 255)
      constraints.fail(*name, member + "attributeName", "have length less than or equal to 255");
    auto parsed = type == "N"   ? model::AttributeType::N
                  : type == "B" ? model::AttributeType::B
                                : model::AttributeType::S;
    if (name && !out.emplace(*name, parsed).second)
      report_invalid(problems, "Duplicate AttributeName: " + std::string(*name));
  }
  return out;
}

struct KeyElements {
  std::string partition;
  std::optional<std::string> sort;
};

// As AWS quotes a list in its messages.
std::string quoted_schema(const JsonArray& list, Problems& problems) {
  std::string out = "[";
  for (std::size_t i = 0; i < list.size(); ++i) {
    auto one = list.at(i).object(problems);
    if (!one) break;
    if (i > 0) out += ", ";
    out += "KeySchemaElement(attributeName=";
    out += one->get("AttributeName").text(problems).value_or("null");
    out += ", keyType=";
    out += one->get("KeyType").text(problems).value_or("null");
    out += ")";
  }
  return out + "]";
}

KeyElements read_key_elements(const JsonObject& input, Constraints& constraints,
                              Problems& problems) {
  KeyElements out;
  auto list = input.get("KeySchema").array(problems);
  constraints.required(input.get("KeySchema").present(), "keySchema");
  if (!list) return out;
  if (list->size() == 0)
    constraints.fail("[]", "keySchema", "have length greater than or equal to 1");
  if (list->size() > 2)
    constraints.fail(quoted_schema(*list, problems), "keySchema",
                     "have length less than or equal to 2");
  for (std::size_t i = 0; i < list->size() && i < 2; ++i) {
    auto one = list->at(i).object(problems);
    if (!one) return out;
    std::string member = "keySchema." + std::to_string(i + 1) + ".member.";
    auto name = one->get("AttributeName").text(problems);
    auto type = one->get("KeyType").text(problems);
    constraints.required(name.has_value(), member + "attributeName");
    constraints.required(type.has_value(), member + "keyType");
    constraints.one_of(type, member + "keyType", {"HASH", "RANGE"});
    if (i == 0 && type == "RANGE") {
      problems.report(ApiError::validation(
          "Invalid KeySchema: The first KeySchemaElement is not a HASH key type"));
    } else if (i == 1 && type == "HASH") {
      problems.report(ApiError::validation(
          "Invalid KeySchema: The second KeySchemaElement is not a RANGE key type"));
    }
    if (i == 0)
      out.partition = name.value_or("");
    else
      out.sort = std::string(name.value_or(""));
  }
  return out;
}

std::string definition_names(const Definitions& definitions) {
  std::string out;
  for (const auto& [name, type] : definitions) {
    if (!out.empty()) out += ", ";
    out += name;
  }
  return out;
}

// The name of the table to be; AWS words its absence in its own way.
std::string read_new_table_name(const Call& call, Constraints& constraints, Problems& problems) {
  auto name = call.input.get("TableName").text(problems);
  if (!name) {
    problems.report(ApiError::validation(
        "The parameter 'TableName' is required but was not present in the request"));
    return {};
  }
  auto plain = plain_table_name(call.services, *name, problems);
  if (!problems.any()) constraints.new_table_name(plain);
  return plain;
}

// Joins the key schema with the attribute definitions, which must say the same.
model::KeySchema join_keys(const KeyElements& elements, const Definitions& definitions,
                           Problems& problems) {
  model::KeySchema out;
  std::size_t keys = elements.sort ? 2 : 1;
  if (definitions.size() < keys) {
    problems.report(
        ApiError::validation("Invalid KeySchema: Some index key attribute have no definition"));
    return out;
  }
  if (elements.sort == elements.partition) {
    problems.report(ApiError::validation(
        "Both the Hash Key and the Range Key element in the KeySchema have the same name"));
    return out;
  }
  auto find = [&](const std::string& name) {
    auto at = definitions.find(name);
    if (at == definitions.end()) {
      std::string names =
          elements.sort ? elements.partition + ", " + *elements.sort : elements.partition;
      report_invalid(
          problems, "Some index key attributes are not defined in AttributeDefinitions. Keys: [" +
                        names + "], AttributeDefinitions: [" + definition_names(definitions) + "]");
      return model::KeyAttribute{};
    }
    return model::KeyAttribute{at->first, at->second};
  };
  out.partition = find(elements.partition);
  if (elements.sort) out.sort = find(*elements.sort);
  if (definitions.size() != keys) {
    report_invalid(problems,
                   "Number of attributes in KeySchema does not exactly match number of attributes "
                   "defined in AttributeDefinitions");
  }
  return out;
}

void apply_billing(const Billing& billing, store::TableSpec& spec, Problems& problems) {
  auto mode = billing.mode.value_or("PROVISIONED");
  bool units = billing.read_units.has_value();
  if (mode == "PAY_PER_REQUEST" && units) {
    report_invalid(problems,
                   "Neither ReadCapacityUnits nor WriteCapacityUnits can be specified when "
                   "BillingMode is PAY_PER_REQUEST");
  }
  if (mode == "PROVISIONED" && !units) {
    report_invalid(problems,
                   "ReadCapacityUnits and WriteCapacityUnits must both be specified when "
                   "BillingMode is PROVISIONED");
  }
  namespace setting = store::setting;
  auto set_units = [&spec](std::string_view name, std::optional<std::int64_t> value) {
    if (value) spec.settings.set(std::string(name), std::to_string(*value));
  };
  spec.settings.set(std::string(setting::kBillingMode), std::move(mode));
  set_units(setting::kReadUnits, billing.read_units);
  set_units(setting::kWriteUnits, billing.write_units);
}

}  // namespace

void create_table(const Call& call, Reply reply) {
  const auto& input = call.input;
  Problems problems;
  Constraints constraints;
  store::TableSpec spec;
  spec.name = read_new_table_name(call, constraints, problems);
  auto definitions = read_definitions(input, constraints, problems);
  auto elements = read_key_elements(input, constraints, problems);
  auto billing = read_billing(input, constraints, problems);
  auto stream = read_stream_specification(input, constraints, problems);
  auto settings = read_settings(input, call.services.store.region(), constraints, problems);
  spec.deletion_protection =
      input.get("DeletionProtectionEnabled").boolean(problems).value_or(false);
  constraints.finish(problems);
  refuse_members(input,
                 {"GlobalSecondaryIndexes", "LocalSecondaryIndexes", "GlobalTableSourceArn",
                  "ResourcePolicy", "VectorIndexes"},
                 problems);
  if (problems.any()) return reply(Err(problems.take()));
  spec.keys = join_keys(elements, definitions, problems);
  apply_billing(billing, spec, problems);
  check_request_units(settings, spec.settings.text(store::setting::kBillingMode), problems);
  for (auto& [name, value] : settings) spec.settings.set(name, std::move(value));
  spec.stream = stream.view;
  if (problems.any()) return reply(Err(problems.take()));

  auto name = spec.name;
  call.services.store.create_table(
      std::move(spec),
      [name, reply = std::move(reply), &services = call.services](store::ControlResult result) {
        if (!result) return reply(Err(control_error(result.error(), name)));
        reply(table_answer(services, **result, "CREATING"));
      });
}

}  // namespace meridian::api::ops
