// VerifyPages: what `meridian verify` compares regions by: digests of key ranges, the heads of the rows in
// those that differ, and single rows again.  All of it is computed from the stored rows when it is asked
// for, so that a damaged row is seen.
//
//   POST /v1/tables/NAME/digest    {"to", "sum", "items", "tombstones", "collected"}: of the rows after
//        {"after", "to",           `after`, up to `to`, kDigestRows of them at most; "to": how far it
//        "horizon"}                reaches, null for the end of the table
//   POST /v1/tables/NAME/heads     {"rows": "KEY VERSION HASH i;KEY VERSION 0000000000000000 t;...", "to",
//        {"after", "to",           "collected"}: the same rows without their images: i for an item, t for
//        "horizon"}                a tombstone
//   POST /v1/tables/NAME/rows      {"rows": [{"key", "key_json", "version", "version_hex", "tombstone",
//        {"keys": [KEY]}           "image_hash"} or null, in the order asked for], "collected"};
//                                  kKeysMax keys at most
// Keys and versions are hexadecimal, hashes, sums and times (HLC) 16 hexadecimal digits.  Tombstones at or
// below `horizon` are left out.  "collected": the newest tombstone that was collected here.
//
// Threads: the admin server's one.  Owns: a reader.  Borrows: the store.
// Limits: kHeadsBytesMax in an answer, and one row.
// Errors: 400, 404 and 405 with {"error": "..."}.
// Source: ADR 0020.
#pragma once

#include <memory>
#include <optional>

#include "common/http/server.h"
#include "region-node/admin/target.h"
#include "region-node/store/store.h"

namespace meridian::admin {

// A row without its image, for people and programs.  The hash is taken from the stored bytes each time.
boost::json::object describe_row(const model::KeySchema& schema, const store::Row& row);

class VerifyPages {
 public:
  static constexpr std::size_t kDigestRows = 4096;
  static constexpr std::size_t kKeysMax = 1000;
  static constexpr std::size_t kHeadsBytesMax = 4 << 20;

  explicit VerifyPages(store::Store& store);

  // Empty when the page is not one of these.
  std::optional<http::Response> handle(const http::Request& request);

 private:
  http::Response digest(const store::TableInfo& table, const boost::json::object& asked);
  http::Response heads(const store::TableInfo& table, const boost::json::object& asked);
  http::Response rows(const store::TableInfo& table, const boost::json::object& asked);
  [[nodiscard]] std::string collected(const store::TableInfo& table);

  store::Store& store_;
  const std::unique_ptr<store::Reader> reader_;
};

}  // namespace meridian::admin
