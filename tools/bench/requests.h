// Requests: whole HTTP requests as prebuilt bytes, in which only the key and the payload are patched
// before each is sent, so that the generator costs as little as it can.
//
// Each carries a SigV4 Authorization header as an SDK would.
// Threads: a RequestTemplate belongs to one.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "common/rng.h"
#include "tools/bench/options.h"
#include "tools/bench/rows.h"

namespace meridian::bench {

inline constexpr std::string_view kTable = "Bench";

// A request with any body, for what is not measured.
std::string http_request(std::string_view operation, std::string_view body);

class RequestTemplate {
 public:
  // PutItem of row (rows.h) number N with a payload of random text, or GetItem of it.
  static RequestTemplate put(const Options& options);
  static RequestTemplate get(const Options& options);

  // The request for a row; valid until the next call.
  std::string_view make(std::uint64_t number);

 private:
  // `payload_bytes`: of the placeholder in `request`; 0 when it has none.
  RequestTemplate(const Options& options, std::string request, std::size_t payload_bytes);

  const RowKeys keys_;
  std::string request_;
  std::size_t pk_ = 0;
  std::size_t sk_ = 0;
  std::size_t payload_ = 0;
  std::size_t payload_bytes_ = 0;
  Rng rng_;
  std::string pool_;  // of random text, from which payloads are cut
};

}  // namespace meridian::bench
