# meridian_embed(OUT FILE... ): writes OUT, a source file that holds FILEs as bytes, for
# region-node/console/assets.h.  Each FILE is PATH=WEB_PATH.  The assembler copies the bytes
# (.incbin), which takes no time, where a compiler would take seconds for an array of them.
function(meridian_embed out)
  set(blobs "")
  set(rows "")
  set(files "")
  set(number 0)
  foreach(pair IN LISTS ARGN)
    string(REGEX MATCH "^(.*)=(.*)$" _ "${pair}")
    set(file "${CMAKE_MATCH_1}")
    set(path "${CMAKE_MATCH_2}")
    set(symbol "meridian_asset_${number}")
    math(EXPR number "${number} + 1")
    list(APPEND files "${file}")
    if(path MATCHES "\\.html$")
      set(type "text/html; charset=utf-8")
    elseif(path MATCHES "\\.css$")
      set(type "text/css; charset=utf-8")
    elseif(path MATCHES "\\.svg$")
      set(type "image/svg+xml")
    else()
      set(type "text/javascript; charset=utf-8")
    endif()
    string(APPEND blobs "BLOB(${symbol}, \"${file}\")\n")
    string(APPEND rows "    {\"${path}\", \"${type}\", bytes(${symbol}, ${symbol}_end)},\n")
  endforeach()
  file(CONFIGURE OUTPUT "${out}" @ONLY CONTENT [[
// Made by cmake/embed.cmake.
#include "region-node/console/assets.h"

#define BLOB(name, file)                                                                      \
  __asm__(".section .rodata\n.global " #name "\n" #name ":\n.incbin \"" file "\"\n.global "   \
          #name "_end\n" #name "_end:\n.byte 0\n.previous\n");                                \
  extern "C" const char name[];                                                               \
  extern "C" const char name##_end[];

@blobs@
namespace meridian::console {
namespace {
std::string_view bytes(const char* begin, const char* end) {
  return {begin, static_cast<std::size_t>(end - begin)};
}
const Asset kAssets[] = {
@rows@};
}  // namespace

const Asset* find_asset(std::string_view path) {
  for (const Asset& asset : kAssets)
    if (asset.path == path) return &asset;
  return nullptr;
}
}  // namespace meridian::console
]])
  set_source_files_properties("${out}" PROPERTIES OBJECT_DEPENDS "${files}")
endfunction()
