// bench: how many PutItem and GetItem a second does a region node answer, and how much of what a
// server that does nothing answers is that?
//
// The bare server is the same Beast server in this process, answering {} to the same requests from
// the same clients, so that the ratio says what the table costs and not what the machine is worth.
#include <CLI/CLI.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <fstream>
#include <memory>
#include <thread>

#include "common/bytes.h"
#include "common/clock.h"
#include "common/http/client.h"
#include "common/http/server.h"
#include "common/log.h"
#include "tools/bench/load.h"

namespace meridian::bench {
namespace json = boost::json;

namespace {

struct Options {
  std::string endpoint = "127.0.0.1:8000";
  std::string table = "Bench";
  std::string json_file;
  unsigned connections = 16;
  unsigned server_threads = 2;
  std::int64_t seconds = 10;
  std::size_t item_bytes = 1024;
  std::uint64_t keys = 10'000;
  std::uint64_t seed = 1;
};

Headers headers_for(const std::string& operation) {
  return {{"Content-Type", "application/x-amz-json-1.0"},
          {"X-Amz-Target", "DynamoDB_20120810." + operation},
          {"X-Amz-Date", "20260101T000000Z"},
          {"Authorization",
           "AWS4-HMAC-SHA256 Credential=bench/20260101/local/dynamodb/aws4_request, "
           "SignedHeaders=host, Signature=" +
               std::string(64, '0')}};
}

http::ClientResponse call(const Options& options, const std::string& operation,
                          const std::string& body) {
  http::HttpClient client(options.endpoint);
  return client.post("/", body, headers_for(operation));
}

bool is_active(const Options& options) {
  auto answer =
      call(options, "DescribeTable", json::serialize(json::object{{"TableName", options.table}}));
  return answer.status == 200 && answer.body.find("\"ACTIVE\"") != std::string::npos;
}

// Makes the table unless it is there; it stays afterwards, for the next run.
void prepare_table(const Options& options) {
  if (is_active(options)) return;
  std::string request = R"({"TableName":")" + options.table +
                        R"(","BillingMode":"PAY_PER_REQUEST",)"
                        R"("AttributeDefinitions":[{"AttributeName":"k","AttributeType":"S"}],)"
                        R"("KeySchema":[{"AttributeName":"k","KeyType":"HASH"}]})";
  auto answer = call(options, "CreateTable", request);
  if (answer.status != 200) throw std::runtime_error("cannot create the table: " + answer.body);
  SystemClock clock;
  std::int64_t deadline_ms = clock.monotonic_ms() + 10'000;
  while (!is_active(options))
    if (clock.monotonic_ms() > deadline_ms)
      throw std::runtime_error("the table did not become ACTIVE within 10 s");
}

// Random bytes in base64: what compression cannot shrink below three quarters.
std::string incompressible(std::size_t size) {
  Rng rng(7);
  Bytes bytes;
  while (bytes.size() < size) put_u64(bytes, rng.next());
  return to_base64(bytes).substr(0, size);
}

std::string key_json(std::uint64_t number) {
  return R"({"k":{"S":"key-)" + std::to_string(number) + "\"}";
}

// `text` is twice as long as an item's, so that each item can take another piece of it.
std::string item_json(const Options& options, const std::string& text, std::uint64_t key,
                      Rng& rng) {
  std::string item = key_json(key);
  item += R"(,"payload":{"S":")";
  item.append(text, rng.below(options.item_bytes + 1), options.item_bytes);
  item += "\"}}";
  return item;
}

BodyMaker put_body(const Options& options) {
  auto text = std::make_shared<std::string>(incompressible(options.item_bytes * 2));
  return [&options, text](Rng& rng) {
    std::string body = R"({"TableName":")" + options.table + R"(","Item":)";
    body += item_json(options, *text, rng.below(options.keys), rng);
    body += "}";
    return body;
  };
}

BodyMaker get_body(const Options& options) {
  return [&options](Rng& rng) {
    std::string body = R"({"TableName":")" + options.table + R"(","Key":)";
    body += key_json(rng.below(options.keys));
    body += "}}";
    return body;
  };
}

// Writes every key once, so that what is read afterwards is there.
void fill_table(const Options& options) {
  std::fprintf(stderr, "fill: %llu items\n", static_cast<unsigned long long>(options.keys));
  constexpr std::uint64_t kBatchItems = 25;
  std::string text = incompressible(options.item_bytes * 2);
  Rng rng(options.seed);
  http::HttpClient client(options.endpoint);
  for (std::uint64_t first = 0; first < options.keys; first += kBatchItems) {
    std::string body = R"({"RequestItems":{")" + options.table + "\":[";
    for (std::uint64_t key = first; key < std::min(options.keys, first + kBatchItems); ++key) {
      if (key > first) body += ",";
      body += R"({"PutRequest":{"Item":)";
      body += item_json(options, text, key, rng);
      body += "}}";
    }
    body += "]}}";
    auto answer = client.post("/", body, headers_for("BatchWriteItem"));
    if (answer.status != 200 || answer.body.find("PutRequest") != std::string::npos)
      throw std::runtime_error("cannot fill the table: " + answer.body.substr(0, 300));
  }
}

struct Phase {
  std::string name;
  LoadReport report;
};

std::unique_ptr<Phase> measure(const Options& options, const std::string& name,
                               const std::string& address, const std::string& operation,
                               const BodyMaker& body) {
  auto phase = std::make_unique<Phase>();
  phase->name = name;
  std::fprintf(stderr, "%s: %lld s, %u connections\n", name.c_str(),
               static_cast<long long>(options.seconds), options.connections);
  LoadOptions load{.address = address,
                   .connections = options.connections,
                   .run_ms = options.seconds * 1000,
                   .seed = options.seed};
  run_load(load, headers_for(operation), body, phase->report);
  return phase;
}

std::unique_ptr<Phase> measure_bare(const Options& options) {
  http::Listener listener{"127.0.0.1:0", [](http::Request, http::Responder respond) {
                            respond({.status = 200,
                                     .content_type = "application/x-amz-json-1.0",
                                     .headers = {},
                                     .body = "{}"});
                          }};
  http::HttpServer server({listener}, options.server_threads, http::HttpLimits{},
                          Logger(make_stderr_sink(LogLevel::warn)));
  server.start();
  auto phase = measure(options, "bare", "127.0.0.1:" + std::to_string(server.port(0)), "PutItem",
                       put_body(options));
  server.stop();
  return phase;
}

double ms(std::int64_t us) { return static_cast<double>(us) / 1000; }

json::object as_json(const LoadReport& report) {
  return {{"rps", std::llround(report.per_second())},
          {"answered", report.answered},
          {"failed", report.failed},
          {"p50_ms", ms(report.latency.quantile_us(0.5))},
          {"p95_ms", ms(report.latency.quantile_us(0.95))},
          {"p99_ms", ms(report.latency.quantile_us(0.99))},
          {"max_ms", ms(report.latency.max_us())}};
}

void print_table(const std::vector<std::unique_ptr<Phase>>& phases) {
  std::printf("%-6s %10s %9s %9s %9s %9s %8s\n", "PHASE", "REQ/S", "P50 MS", "P95 MS", "P99 MS",
              "MAX MS", "FAILED");
  for (const auto& phase : phases) {
    const LoadReport& report = phase->report;
    std::printf("%-6s %10.0f %9.2f %9.2f %9.2f %9.2f %8llu\n", phase->name.c_str(),
                report.per_second(), ms(report.latency.quantile_us(0.5)),
                ms(report.latency.quantile_us(0.95)), ms(report.latency.quantile_us(0.99)),
                ms(report.latency.max_us()), static_cast<unsigned long long>(report.failed));
  }
}

void write_json(const Options& options, const std::vector<std::unique_ptr<Phase>>& phases) {
  json::object rates;
  json::object details;
  for (const auto& phase : phases) {
    rates[phase->name + "_rps"] = std::llround(phase->report.per_second());
    details[phase->name] = as_json(phase->report);
  }
  json::object settings{{"endpoint", options.endpoint},
                        {"connections", options.connections},
                        {"seconds", options.seconds},
                        {"item_bytes", options.item_bytes},
                        {"keys", options.keys},
                        {"seed", options.seed},
                        {"cores", std::thread::hardware_concurrency()}};
  json::object out{{"http", std::move(rates)},
                   {"phases", std::move(details)},
                   {"settings", std::move(settings)}};
  std::ofstream file(options.json_file);
  file << json::serialize(out) << "\n";
  if (!file.flush()) throw std::runtime_error("cannot write " + options.json_file);
}

int run(const Options& options) {
  prepare_table(options);
  fill_table(options);
  std::vector<std::unique_ptr<Phase>> phases;
  phases.push_back(measure_bare(options));
  phases.push_back(measure(options, "put", options.endpoint, "PutItem", put_body(options)));
  phases.push_back(measure(options, "get", options.endpoint, "GetItem", get_body(options)));
  print_table(phases);
  if (!options.json_file.empty()) write_json(options, phases);
  std::uint64_t failed = 0;
  for (const auto& phase : phases) {
    failed += phase->report.failed;
    if (phase->report.failed > 0)
      std::fprintf(stderr, "%s: first failure: %s\n", phase->name.c_str(),
                   phase->report.first_failure.c_str());
  }
  return failed == 0 ? 0 : 1;
}

int run_and_explain(int argc, char** argv) {
  Options options;
  CLI::App app{
      "Measure a region node over HTTP: a closed loop of PutItem, then GetItem, beside a "
      "server that does nothing",
      "bench"};
  app.footer(
      "Exit codes: 0 done, 1 some requests failed, 2 wrong usage, 3 the node does not answer.");
  app.set_version_flag("--version", "bench " MERIDIAN_VERSION);
  app.add_option("--endpoint", options.endpoint, "Table endpoint, host:port")
      ->capture_default_str();
  app.add_option("--table", options.table, "Table to use; created when missing")
      ->capture_default_str();
  app.add_option("--connections", options.connections, "Clients, a connection each")
      ->check(CLI::Range(1, 1000))
      ->capture_default_str();
  app.add_option("--server-threads", options.server_threads, "Threads of the bare server")
      ->check(CLI::Range(1, 64))
      ->capture_default_str();
  app.add_option("--seconds", options.seconds, "Length of each phase")
      ->check(CLI::Range(1, 86'400))
      ->capture_default_str();
  app.add_option("--item-bytes", options.item_bytes, "Random text per item")
      ->check(CLI::Range(1, 390'000))
      ->capture_default_str();
  app.add_option("--keys", options.keys, "Keys are drawn from so many")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  app.add_option("--seed", options.seed, "Of the keys and contents")->capture_default_str();
  app.add_option("--json", options.json_file, "Also write the figures to this file");
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& e) {
    return app.exit(e) == 0 ? 0 : 2;
  }
  try {
    return run(options);
  } catch (const std::exception& e) {
    std::fprintf(stderr, "%s\n", e.what());
    return 3;
  }
}

}  // namespace
}  // namespace meridian::bench

int main(int argc, char** argv) { return meridian::bench::run_and_explain(argc, argv); }
