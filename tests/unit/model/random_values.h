// Random values of the data model, for property tests.  Pure but for the Rng.
#pragma once

#include <string>

#include "common/rng.h"
#include "region-node/model/attribute_value.h"

namespace meridian::model {

// Up to `length_max` bytes, with many zeros, 0xffs and repetitions.
std::string random_bytes(Rng& rng, std::size_t length_max);
// Canonical text; all magnitudes and lengths.
std::string random_number(Rng& rng);
// `depth`: containers that may still be opened.
AttributeValue random_value(Rng& rng, std::size_t depth);
Item random_item(Rng& rng);

}  // namespace meridian::model
