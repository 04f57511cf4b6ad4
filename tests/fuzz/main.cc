// libFuzzer's entry into a target.
#include "tests/fuzz/fuzz.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  meridian::fuzz::run({reinterpret_cast<const char*>(data), size});
  return 0;
}
