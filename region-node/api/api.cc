#include "region-node/api/api.h"

#include "common/bytes.h"
#include "region-node/api/dispatcher.h"
#include "region-node/api/figures.h"
#include "region-node/api/json_in.h"

namespace meridian::api {
namespace {

std::vector<std::string_view> operation_names() {
  std::vector<std::string_view> out;
  for (const auto& operation : operations()) out.push_back(operation.name);
  return out;
}

// GET / and GET /health, which load balancers and people ask: as AWS's own endpoint answers.
http::Response health(const http::Request& request, const RegionId& region) {
  if (request.target != "/" && request.target != "/health" && request.target != "/healthcheck")
    return {404, "text/plain", {}, "not found\n"};
  std::string body = "healthy: dynamodb.";
  body.append(region.name()).append(".amazonaws.com \n");
  return {200, "text/plain", {}, std::move(body)};
}

}  // namespace

// Shared with every request under way, so that one that completes while the node shuts down still
// finds what it needs.
class Api::Impl : public std::enable_shared_from_this<Api::Impl> {
 public:
  Impl(store::Store& store, ReplicaControl& replicas, const Clock& clock, Rng rng, Logger log,
       ApiOptions options)
      : log_(std::move(log)),
        readers_(store, options.readers_max),
        services_{store, replicas, clock, readers_, options.global_tables_2017},
        ids_(rng),
        figures_(operation_names()) {}

  void handle(const http::Request& request, http::Responder responder) {
    if (request.method == "GET" || request.method == "HEAD")
      return responder(health(request, services_.store.region()));
    auto target = request.header("X-Amz-Target");
    const auto* operation = find_operation(target);
    if (request.method != "POST" || !operation) return refuse(target, responder);
    auto begun_us = services_.clock.monotonic_us();
    Reply reply = [self = shared_from_this(), operation, begun_us,
                   responder = std::move(responder)](Answer answer) {
      self->finish(*operation, begun_us, std::move(answer), responder);
    };
    Document document;
    auto input = document.parse(request.body);
    if (!input) return reply(Err(ApiError::serialization("The request is not a JSON object")));
    run(*operation, {services_, *input, request.header("Host"),
                     request.header("X-Meridian-If-Version")}, reply);
  }

  void collect(MetricsPage& page) const { figures_.collect(page); }
  // The store may go before the last answer does.
  void close() { readers_.clear(); }

 private:
  void run(const Operation& operation, const Call& call, const Reply& reply) {
    if (operation.write) return operation.write(call, reply);
    try {
      reply(operation.read(call));
    } catch (const std::exception& failure) {
      log_.error("request_failed", "operation={} reason=\"{}\"", operation.name, failure.what());
      reply(Err(ApiError::internal("Internal server error")));
    }
  }

  void refuse(std::string_view target, const http::Responder& responder) {
    figures_.record_error("unknown", "UnknownOperationException");
    // (A header may hold any bytes; an answer is JSON.)
    std::string text = target.empty() || !is_utf8(target)
                           ? ""
                           : "Operation " + std::string(target) + " is not supported";
    responder(to_response(Err(ApiError::unknown_operation(std::move(text))), ids_));
  }

  void finish(const Operation& operation, std::int64_t begun_us, Answer answer,
              const http::Responder& responder) {
    if (!answer) figures_.record_error(operation.name, answer.error().short_type());
    responder(to_response(std::move(answer), ids_));
    figures_.record(static_cast<std::size_t>(&operation - operations().data()),
                    services_.clock.monotonic_us() - begun_us);
  }

  const Logger log_;
  ReaderPool readers_;
  Services services_;
  RequestIds ids_;
  Figures figures_;
};

Api::Api(store::Store& store, ReplicaControl& replicas, const Clock& clock, Rng rng, Logger log,
         ApiOptions options)
    : impl_(std::make_shared<Impl>(store, replicas, clock, rng, std::move(log), options)) {}

Api::~Api() { impl_->close(); }

http::Handler Api::handler() {
  return [impl = impl_](http::Request request, http::Responder responder) {
    impl->handle(request, std::move(responder));
  };
}

void Api::collect(MetricsPage& page) const { impl_->collect(page); }

}  // namespace meridian::api
