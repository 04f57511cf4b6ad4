// Settings: what the replicas of a table agree on beside its keys and members, each setting with a
// version of its own, last writer wins each.
//
// A setting is a name and a text.  A region may have its own value of one (an override), under the name
// "NAME@region"; it holds unless the table's is newer, so a later change of the setting anywhere
// takes it away, as on AWS.  Unknown names are kept and passed on, so that a release with more settings
// may live beside one with fewer.
//
// Never synced, and therefore not here: deletion protection, the number of log shards.
//
// merge() is commutative, associative and idempotent: equal versions (settings of a table that is older
// than this map) are decided by the larger text.
// Threads: value types.
// Limits: kSettingsMax entries, kSettingBytesMax of a name or text.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "conflict/version.h"

namespace meridian::store {

inline constexpr std::size_t kSettingsMax = 1024;
inline constexpr std::size_t kSettingBytesMax = 4096;

// Names.  Those of AWS's second class (synced, a replica may have its own) are marked.
namespace setting {
inline constexpr std::string_view kBillingMode = "billing_mode";
inline constexpr std::string_view kWriteUnits = "write_units";
inline constexpr std::string_view kReadUnits = "read_units";  // may be overridden
inline constexpr std::string_view kWriteRequestsMax = "write_requests_max";
inline constexpr std::string_view kReadRequestsMax = "read_requests_max";  // may be overridden
inline constexpr std::string_view kTableClass = "table_class";             // may be overridden
inline constexpr std::string_view kStreamView = "stream_view";             // empty: no stream
inline constexpr std::string_view kEncryption = "encryption";              // empty or KMS
inline constexpr std::string_view kEncryptionKey = "encryption_key";       // overrides only

std::string of_region(std::string_view name, const RegionId& region);
}  // namespace setting

struct Setting {
  std::string value;
  conflict::Version changed;  // empty for what a table was made with
  bool operator==(const Setting&) const = default;
};

class Settings {
 public:
  using Map = std::map<std::string, Setting, std::less<>>;

  // The table's value; empty, or zero, when it was never set.
  [[nodiscard]] std::string_view text(std::string_view name) const;
  [[nodiscard]] std::int64_t number(std::string_view name) const;
  // What holds in `region`.
  [[nodiscard]] std::string_view text_in(std::string_view name, const RegionId& region) const;
  [[nodiscard]] std::int64_t number_in(std::string_view name, const RegionId& region) const;
  // The region's own value, if it has one that holds and differs from the table's.
  [[nodiscard]] std::optional<std::string_view> override_of(std::string_view name,
                                                            const RegionId& region) const;
  // When what holds in `region` was set; empty when the table was made with it.
  [[nodiscard]] conflict::Version changed_in(std::string_view name, const RegionId& region) const;

  void set(std::string name, std::string value, const conflict::Version& changed = {});
  void merge(const Settings& theirs);
  // The latest time of any of them.
  [[nodiscard]] conflict::Hlc newest() const;

  [[nodiscard]] const Map& all() const { return map_; }
  bool operator==(const Settings&) const = default;

 private:
  [[nodiscard]] const Setting* find(std::string_view name) const;
  [[nodiscard]] const Setting* holding(std::string_view name, const RegionId& region) const;

  Map map_;
};

}  // namespace meridian::store
