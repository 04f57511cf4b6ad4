#include "region-node/api/ops/table_params.h"

#include "region-node/api/json_out.h"
#include "region-node/api/table_description.h"

namespace meridian::api::ops {

Billing read_billing(const JsonObject& input, Constraints& constraints, Problems& problems) {
  Billing out;
  auto mode = input.get("BillingMode").text(problems);
  constraints.one_of(mode, "billingMode", {"PROVISIONED", "PAY_PER_REQUEST"});
  if (mode) out.mode = std::string(*mode);
  if (auto throughput = input.get("ProvisionedThroughput").object(problems)) {
    out.read_units = throughput->get("ReadCapacityUnits").integer(problems);
    out.write_units = throughput->get("WriteCapacityUnits").integer(problems);
    constraints.required(out.read_units.has_value(), "provisionedThroughput.readCapacityUnits");
    constraints.required(out.write_units.has_value(), "provisionedThroughput.writeCapacityUnits");
    constraints.at_least(out.read_units, "provisionedThroughput.readCapacityUnits", 1);
    constraints.at_least(out.write_units, "provisionedThroughput.writeCapacityUnits", 1);
  }
  return out;
}

std::string units_or_none(std::int64_t units) {
  return units < 0 ? std::string() : std::to_string(units);
}

SettingValues read_settings(const JsonObject& input, const RegionId& self, Constraints& constraints,
                            Problems& problems) {
  namespace setting = store::setting;
  SettingValues out;
  auto put = [&out](std::string_view name, std::string value) {
    out.insert_or_assign(std::string(name), std::move(value));
  };
  auto table_class = input.get("TableClass").text(problems);
  constraints.one_of(table_class, "tableClass", {"STANDARD", "STANDARD_INFREQUENT_ACCESS"});
  if (table_class) put(setting::kTableClass, std::string(*table_class));
  if (auto encryption = input.get("SSESpecification").object(problems)) {
    auto type = encryption->get("SSEType").text(problems);
    constraints.one_of(type, "sSESpecification.sSEType", {"AES256", "KMS"});
    bool enabled = encryption->get("Enabled").boolean(problems).value_or(type.has_value());
    put(setting::kEncryption, enabled ? "KMS" : "");
    auto key = encryption->get("KMSMasterKeyId").text(problems);
    if (key) put(setting::of_region(setting::kEncryptionKey, self), std::string(*key));
  }
  if (auto units = input.get("OnDemandThroughput").object(problems)) {
    auto read = units->get("MaxReadRequestUnits").integer(problems);
    auto write = units->get("MaxWriteRequestUnits").integer(problems);
    if (read) put(setting::kReadRequestsMax, units_or_none(*read));
    if (write) put(setting::kWriteRequestsMax, units_or_none(*write));
  }
  return out;
}

void check_request_units(const SettingValues& settings, std::string_view billing_mode,
                         Problems& problems) {
  if (billing_mode == "PAY_PER_REQUEST") return;
  for (auto [name, member] : {std::pair{store::setting::kReadRequestsMax, "MaxReadRequestUnits"},
                              std::pair{store::setting::kWriteRequestsMax, "MaxWriteRequestUnits"}})
    if (settings.count(std::string(name)) != 0)
      problems.report(ApiError::validation(
          std::string(member) +
          " for OnDemandThroughput cannot be specified when the table BillingMode is PROVISIONED"));
}

StreamChange read_stream_specification(const JsonObject& input, Constraints& constraints,
                                       Problems& problems) {
  StreamChange out;
  auto specification = input.get("StreamSpecification").object(problems);
  if (!specification) return out;
  auto enabled = specification->get("StreamEnabled").boolean(problems);
  auto view = specification->get("StreamViewType").text(problems);
  constraints.required(enabled.has_value(), "streamSpecification.streamEnabled");
  constraints.one_of(view, "streamSpecification.streamViewType",
                     {"NEW_IMAGE", "OLD_IMAGE", "NEW_AND_OLD_IMAGES", "KEYS_ONLY"});
  out.given = true;
  if (enabled.value_or(false)) {
    out.view = model::parse_view_type(view.value_or(""));
    if (!view) {
      problems.report(ApiError::validation(
          "One or more parameter values were invalid: StreamViewType is required when "
          "StreamEnabled is true"));
    }
  } else if (view) {
    problems.report(ApiError::validation(
        "One or more parameter values were invalid: StreamViewType must not be given when "
        "StreamEnabled is false"));
  }
  return out;
}

void refuse_members(const JsonObject& input, std::initializer_list<std::string_view> members,
                    Problems& problems) {
  for (auto member : members) {
    auto value = input.get(member);
    if (!value.present()) continue;
    // Some SDKs send empty lists for what they do not use.
    Problems not_a_list;
    auto list = value.array(not_a_list);
    if (list && list->size() == 0) continue;
    problems.report(ApiError::validation("One or more parameter values were invalid: " +
                                         std::string(member) + " is not supported yet"));
  }
}

std::optional<ApiError> refuse_while_created(const Services& services,
                                             const store::TableInfo& table) {
  if (!table.is_copying(services.store.region())) return std::nullopt;
  return ApiError::resource_in_use(
      "Attempt to change a resource which is still in use: Table is being created: " + table.name);
}

std::string table_answer(const Services& services, const store::TableInfo& table,
                         std::string_view status, std::string_view member) {
  store::TableStats stats;
  if (status != "CREATING") stats = services.readers.borrow()->stats(table.id);
  std::string out;
  JsonMembers members(out);
  append_table_description(members.name(member), table, stats, services.store.region(), status,
                           services.replicas.progress(table.id));
  members.end();
  return out;
}

}  // namespace meridian::api::ops
