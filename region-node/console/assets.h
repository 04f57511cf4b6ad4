// The files of the console, as bytes of the program.  assets.cc is made by the build (CMakeLists.txt).
// Threads: any.
#pragma once

#include <string_view>

namespace meridian::console {

struct Asset {
  std::string_view path;  // "/console/app.js"
  std::string_view content_type;
  std::string_view bytes;
};

// Null when there is none at `path`.
const Asset* find_asset(std::string_view path);

}  // namespace meridian::console
