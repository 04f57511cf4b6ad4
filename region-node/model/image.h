// The canonical image: the one byte encoding of an item, stored, shipped and hashed.
//
// Attributes ascend by name at every level, sets ascend, numbers are canonical text; so equal items
// have equal images in every region and release.  The format is versioned by its first byte and
// pinned by golden tests.
// Threads: any.  Errors: decode answers empty on anything malformed, never crashes, bounded nesting.
#pragma once

#include <optional>

#include "common/bytes.h"
#include "region-node/model/attribute_value.h"

namespace meridian::model {

Bytes encode_image(const Item& item);
std::optional<Item> decode_image(BytesView image);
// Hash of an image for digests and ties; never conflict::kTombstoneHash.
std::uint64_t image_hash(BytesView image);

}  // namespace meridian::model
