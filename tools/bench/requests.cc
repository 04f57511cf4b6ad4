#include "tools/bench/requests.h"

#include <fmt/format.h>

#include "common/bytes.h"

namespace meridian::bench {
namespace {

constexpr std::size_t kPoolBytes = 1 << 20;

std::string key_members() {
  return R"("pk":{"S":")" + RowKeys::first_partition() + R"("},"sk":{"S":")" +
         RowKeys::first_sort() + "\"}";
}

std::string table_member() { return R"({"TableName":")" + std::string(kTable) + "\","; }

}  // namespace

std::string http_request(std::string_view operation, std::string_view body) {
  return fmt::format(
      "POST / HTTP/1.1\r\n"
      "Host: 127.0.0.1\r\n"
      "Content-Type: application/x-amz-json-1.0\r\n"
      "X-Amz-Target: DynamoDB_20120810.{}\r\n"
      "X-Amz-Date: 20260101T000000Z\r\n"
      "Authorization: AWS4-HMAC-SHA256 Credential=bench/20260101/us-east-1/dynamodb/aws4_request, "
      "SignedHeaders=content-type;host;x-amz-date;x-amz-target, Signature={}\r\n"
      "User-Agent: meridian-bench\r\n"
      "Content-Length: {}\r\n\r\n{}",
      operation, std::string(64, '0'), body.size(), body);
}

RequestTemplate RequestTemplate::put(const Options& options) {
  std::string body = table_member() + R"("Item":{)" + key_members() + R"(,"payload":{"S":")" +
                     std::string(options.payload_bytes, '#') + "\"}}}";
  return {options, http_request("PutItem", body), options.payload_bytes};
}

RequestTemplate RequestTemplate::get(const Options& options) {
  std::string body = table_member() + R"("Key":{)" + key_members() + "}}";
  return {options, http_request("GetItem", body), 0};
}

RequestTemplate::RequestTemplate(const Options& options, std::string request,
                                 std::size_t payload_bytes)
    : keys_(options.partitions),
      request_(std::move(request)),
      payload_bytes_(payload_bytes),
      rng_(options.seed) {
  pk_ = request_.find(RowKeys::first_partition());
  sk_ = request_.find(RowKeys::first_sort());
  if (payload_bytes == 0) return;
  payload_ = request_.find(std::string(payload_bytes, '#'));
  // Base64: the most that text of one byte per letter can hold.
  pool_ = to_base64(random_bytes(rng_, kPoolBytes + payload_bytes));
}

std::string_view RequestTemplate::make(std::uint64_t number) {
  keys_.patch_partition(request_.data() + pk_, number);
  keys_.patch_sort(request_.data() + sk_, number);
  if (payload_bytes_ > 0)
    pool_.copy(request_.data() + payload_, payload_bytes_, rng_.below(kPoolBytes));
  return request_;
}

}  // namespace meridian::bench
