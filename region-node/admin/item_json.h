// Items, versions and contexts as the JSON of the admin pages: attributes in DynamoDB's form.
//
// Threads: any.
#pragma once

#include <boost/json/object.hpp>

#include <optional>
#include <string>
#include <string_view>

#include "common/bytes.h"
#include "conflict/ledger.h"
#include "region-node/model/attribute_value.h"
#include "region-node/model/table.h"

namespace meridian::admin {

boost::json::object to_json(const model::Item& item);
// Null for a delete; {"undecodable": BASE64} for an image that is no item.
boost::json::value image_to_json(const std::optional<Bytes>& image);
// An encoded key from {"customer": {"S": "c1"}}; empty when it is not a key of the table.
std::optional<Bytes> key_from_json(const model::KeySchema& schema, std::string_view text);

// {"version": "...", "version_hex": "...", "context": {"us-east-1": "<16 digits>"}}
boost::json::object to_json(const conflict::Lineage& lineage);

}  // namespace meridian::admin
