#include "region-node/peer/refusals.h"

#include <fmt/format.h>

namespace meridian::peer {

rpc::Refusal validation_refusal(std::string message) {
  return {"ValidationException", std::move(message)};
}
rpc::Refusal in_use_refusal(std::string message) {
  return {"ResourceInUseException", std::move(message)};
}
rpc::Refusal unavailable_refusal(std::string message) {
  return {"ServiceUnavailable", std::move(message)};
}

rpc::Refusal create_refusal(store::ControlError error, const std::string& table) {
  switch (error) {
    case store::ControlError::already_exists:
      return validation_refusal(
          fmt::format("Failed to create a the new replica of table with name: '{}' because one or "
                      "more replicas already existed as tables.",
                      table));
    case store::ControlError::limit_exceeded:
      return {"LimitExceededException", "The region has as many tables as it may have."};
    default: return unavailable_refusal("The region cannot create a table at present.");
  }
}

rpc::Refusal drop_refusal(store::ControlError error, const std::string& table) {
  switch (error) {
    case store::ControlError::not_drained:
      return in_use_refusal(fmt::format(
          "Table '{}' has changes that no other replica has received yet. Try again later.",
          table));
    case store::ControlError::protected_table:
      return validation_refusal(
          fmt::format("Resource cannot be deleted as it is currently protected against deletion. "
                      "Disable deletion protection of table '{}' first.",
                      table));
    default: return unavailable_refusal("The region cannot delete a table at present.");
  }
}

}  // namespace meridian::peer
