#include "region-node/model/table.h"

namespace meridian::model {

const char* view_type_name(StreamViewType view) {
  switch (view) {
    case StreamViewType::KEYS_ONLY: return "KEYS_ONLY";
    case StreamViewType::NEW_IMAGE: return "NEW_IMAGE";
    case StreamViewType::OLD_IMAGE: return "OLD_IMAGE";
    case StreamViewType::NEW_AND_OLD_IMAGES: return "NEW_AND_OLD_IMAGES";
  }
  return "";
}

std::optional<StreamViewType> parse_view_type(std::string_view name) {
  for (auto view : {StreamViewType::KEYS_ONLY, StreamViewType::NEW_IMAGE, StreamViewType::OLD_IMAGE,
                    StreamViewType::NEW_AND_OLD_IMAGES}) {
    if (name == view_type_name(view)) return view;
  }
  return std::nullopt;
}

}  // namespace meridian::model
