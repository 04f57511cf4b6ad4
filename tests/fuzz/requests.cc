// Requests to the whole API, from its HTTP handler down to a store in memory.
//
// Input: lines of "Operation {json}", sent one after another.  Each must be answered once, in JSON, with
// a success or by blaming the client; and what was stored must be readable.
#include <boost/json/parse.hpp>
#include <optional>
#include <string>

#include "region-node/api/api.h"
#include "region-node/api/dispatcher.h"
#include "region-node/model/image.h"
#include "region-node/model/key.h"
#include "tests/fuzz/fuzz.h"
#include "tests/unit/api/fake_replicas.h"
#include "tests/unit/api/fake_store.h"

namespace meridian::fuzz {
namespace {

constexpr int kRequestsMax = 16;

constexpr std::string_view kTables[] = {
    R"(CreateTable {"TableName":"Plain","KeySchema":[{"AttributeName":"p","KeyType":"HASH"}],)"
    R"("AttributeDefinitions":[{"AttributeName":"p","AttributeType":"S"}],)"
    R"("BillingMode":"PAY_PER_REQUEST",)"
    R"("StreamSpecification":{"StreamEnabled":true,"StreamViewType":"NEW_AND_OLD_IMAGES"}})",
    R"(CreateTable {"TableName":"Sorted","KeySchema":[{"AttributeName":"p","KeyType":"HASH"},)"
    R"({"AttributeName":"s","KeyType":"RANGE"}],)"
    R"("AttributeDefinitions":[{"AttributeName":"p","AttributeType":"B"},)"
    R"({"AttributeName":"s","AttributeType":"N"}],"BillingMode":"PAY_PER_REQUEST"})",
};

// A node with two tables, made anew for every input.
class World {
 public:
  World() : store_(clock_), replicas_(store_) {
    for (auto request : kTables) expect(send(request) == 200, "the tables are made");
  }

  int send(std::string_view line) {
    auto name = take_until(line, ' ');
    http::Request request;
    request.method = "POST";
    request.target = "/";
    request.headers = {{"X-Amz-Target", "DynamoDB_20120810." + std::string(name)},
                       {"Host", "localhost:8000"}};
    if (!api::find_operation(request.header("X-Amz-Target")))
      request.headers[0].second = "DynamoDBStreams_20120810." + std::string(name);
    request.body = std::string(line);
    std::optional<http::Response> answer;
    handler_(std::move(request), [&answer](http::Response response) {
      expect(!answer, "one answer to one request");
      answer = std::move(response);
    });
    expect(answer.has_value(), "an answer");
    check(*answer);
    return answer->status;
  }

  void check_items() {
    auto reader = store_.open_reader();
    for (const auto& [id, table] : store_.catalog()->by_id)
      reader->scan(id, {}, store::Direction::ascending, [&keys = table->keys](BytesView key,
                                                                              BytesView image) {
        auto item = model::decode_image(image);
        expect(item.has_value(), "a stored image decodes");
        auto own = model::encode_key(keys, *item);
        expect(own.ok() && *own == key, "an item lies under its own key");
        return true;
      });
  }

 private:
  static void check(const http::Response& answer) {
    expect(answer.status == 200 || answer.status == 400, "success, or the client's mistake");
    boost::system::error_code failure;
    boost::json::parse_options options;
    options.max_depth = 512;
    boost::json::parse({answer.body.data(), answer.body.size()}, failure, {}, options);
    expect(!failure, "the answer is JSON");
  }

  test::ManualClock clock_;
  test::FakeStore store_;
  test::FakeReplicas replicas_;
  api::Api api_{store_, replicas_, clock_, Rng(7), Logger(make_stderr_sink(LogLevel::error))};
  http::Handler handler_ = api_.handler();
};

}  // namespace

void run(std::string_view rest) {
  World world;
  for (int i = 0; i < kRequestsMax && !rest.empty(); ++i) world.send(take_until(rest, '\n'));
  world.check_items();
}

}  // namespace meridian::fuzz
