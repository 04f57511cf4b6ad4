#include "region-node/api/write_outcome.h"

#include "common/check.h"
#include "region-node/api/request.h"

namespace meridian::api {

ApiError write_error(store::WriteStatus status, const Mutation& mutation) {
  using store::WriteStatus;
  switch (status) {
    case WriteStatus::rejected: return mutation.rejection();
    case WriteStatus::version_changed:
      return ApiError::condition_failed();
    case WriteStatus::no_such_table: return ApiError::resource_not_found();
    case WriteStatus::clock_refused:
      return ApiError::unavailable(
          "Writes are refused because this region's clock, or the item's, is not trusted; retry "
          "later");
    case WriteStatus::overloaded:
      return ApiError::throughput_exceeded("The region's write queue is full; retry later");
    case WriteStatus::unavailable:
      return ApiError::unavailable("This region takes no writes at the moment; retry later");
    case WriteStatus::committed: break;
  }
  MERIDIAN_CHECK(status != WriteStatus::committed);
  return ApiError::internal("Internal server error");
}

ApiError control_error(store::ControlError error, const std::string& table) {
  using store::ControlError;
  switch (error) {
    case ControlError::already_exists:
      return ApiError::resource_in_use("Table already exists: " + table);
    case ControlError::no_such_table: return named_table_not_found(table);
    case ControlError::not_empty:
      return ApiError::validation(
          "Table " + table +
          " has items, and adding a replica to a table with items is not supported yet");
    case ControlError::not_drained:
      return ApiError::resource_in_use(
          "Attempt to change a resource which is still in use: Table: " + table +
          " has changes that no other replica has acknowledged yet; retry later");
    case ControlError::protected_table:
      return ApiError::validation(
          "Resource cannot be deleted as it is currently protected against deletion. Disable "
          "deletion protection first.");
    case ControlError::stream_enabled:
      return ApiError::validation("Table already has an enabled stream: TableName: " + table);
    case ControlError::stream_disabled:
      return ApiError::validation("Table has no stream to disable: TableName: " + table);
    case ControlError::limit_exceeded:
      return ApiError::limit_exceeded("Subscriber limit exceeded: too many tables in this region");
    case ControlError::unavailable:
      return ApiError::unavailable("This region takes no changes at the moment; retry later");
  }
  return ApiError::internal("Internal server error");
}

void submit_write(const Services& services, const TableId& table, Bytes key,
                  std::shared_ptr<Mutation> mutation, std::function<std::string()> answer,
                  Reply reply) {
  store::ItemWrite write;
  write.table = table;
  write.key = std::move(key);
  write.mutation = mutation;
  write.if_version = mutation->if_version();
  write.done = [mutation = std::move(mutation), answer = std::move(answer),
                reply = std::move(reply)](const store::WriteResult& result) {
    if (result.status == store::WriteStatus::committed)
      reply(answer());
    else
      reply(Err(write_error(result.status, *mutation)));
  };
  services.store.write(std::move(write));
}

}  // namespace meridian::api
