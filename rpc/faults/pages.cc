#include "rpc/faults/pages.h"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

#include <charconv>
#include <memory>

namespace meridian::rpc {
namespace json = boost::json;

namespace {

constexpr std::string_view kPages = "/v1/links";

http::Response answer(int status, const json::object& body) {
  http::Response out;
  out.status = status;
  out.body = json::serialize(body);
  return out;
}

http::Response complain(int status, std::string problem) {
  return answer(status, {{"error", std::move(problem)}});
}

json::object as_json(const LinkFaults::Status& link) {
  json::array faults;
  for (const auto& [fault, left_ms] : link.faults) {
    json::object one{{"kind", fault_kind_name(fault.kind)},
                     {"left_ms", left_ms},
                     {"for_ms", fault.for_ms},
                     {"text", describe(fault)}};
    if (fault.kind == FaultKind::delay) {
      one["delay_ms"] = fault.delay_ms;
      one["jitter_ms"] = fault.jitter_ms;
    }
    if (fault.kind == FaultKind::lose) one["lost_permille"] = fault.lost_permille;
    if (fault.kind == FaultKind::limit) one["bytes_per_second"] = fault.bytes_per_second;
    faults.push_back(std::move(one));
  }
  return {{"from", link.from.name()}, {"to", link.to.name()}, {"faults", std::move(faults)}};
}

// "name=12&other=3" into the fields of a fault; the name or number that does not fit, else empty.
std::string read_query(std::string_view query, Fault& fault) {
  while (!query.empty()) {
    auto end = std::min(query.find('&'), query.size());
    auto piece = query.substr(0, end);
    query.remove_prefix(std::min(end + 1, query.size()));
    auto equals = std::min(piece.find('='), piece.size());
    auto name = piece.substr(0, equals);
    auto text = piece.substr(std::min(equals + 1, piece.size()));
    std::int64_t* field = name == "for_ms"             ? &fault.for_ms
                          : name == "delay_ms"         ? &fault.delay_ms
                          : name == "jitter_ms"        ? &fault.jitter_ms
                          : name == "bytes_per_second" ? &fault.bytes_per_second
                          : name == "lost_permille"    ? &fault.lost_permille
                                                       : nullptr;
    if (field == nullptr) return std::string(name) + " is not known here";
    auto [stop, error] = std::from_chars(text.data(), text.data() + text.size(), *field);
    if (error != std::errc() || stop != text.data() + text.size())
      return std::string(name) + " must be a whole number";
  }
  return {};
}

// What a change asks for.
struct Order {
  RegionId to;
  std::optional<Fault> fault;  // empty: heal
};

}  // namespace

std::optional<http::Response> FaultPages::handle(const http::Request& request) const {
  std::string_view target = request.target;
  auto path = target.substr(0, target.find('?'));
  if (path == kPages && request.method == "GET") return list();
  if (path.starts_with(std::string(kPages) + "/")) {
    if (request.method != "POST") return complain(405, "only POST changes a link");
    return change(target.substr(kPages.size() + 1));
  }
  return std::nullopt;
}

std::optional<std::vector<LinkFaults::Status>> FaultPages::read() const {
  auto found = std::make_shared<std::vector<LinkFaults::Status>>();
  if (!run_([found](LinkFaults& faults) { *found = faults.describe(); })) return std::nullopt;
  return std::move(*found);
}

http::Response FaultPages::list() const {
  auto links = read();
  if (!links) return complain(503, "the links cannot be asked at present");
  json::array out;
  for (const auto& link : *links) out.push_back(as_json(link));
  return answer(200, {{"region", region_.name()}, {"links", std::move(out)}});
}

http::Response FaultPages::change(std::string_view target) const {
  auto mark = std::min(target.find('?'), target.size());
  auto path = target.substr(0, mark);
  auto query = target.substr(std::min(mark + 1, target.size()));
  auto slash = std::min(path.find('/'), path.size());
  auto region = RegionId::parse(std::string(path.substr(0, slash)));
  auto word = path.substr(std::min(slash + 1, path.size()));
  if (!region) return complain(404, "no such link");
  Order order{*region, std::nullopt};
  if (word != "heal") {
    auto kind = parse_fault_kind(word);
    if (!kind) return complain(404, "a link can be told to pause, delay, lose, limit, cut or heal");
    order.fault.emplace().kind = *kind;
    auto problem = read_query(query, *order.fault);
    if (problem.empty()) problem = problem_of(*order.fault);
    if (!problem.empty()) return complain(400, std::move(problem));
  }
  struct Done {
    bool known = false;
    LinkFaults::Status link;
  };
  auto done = std::make_shared<Done>();
  bool ran = run_([order, done](LinkFaults& faults) {
    done->known = faults.known(order.to);
    if (!done->known) return;
    if (order.fault) {
      faults.put(order.to, *order.fault);
    } else {
      faults.heal(order.to);
    }
    done->link = faults.describe(order.to);
  });
  if (!ran) return complain(503, "the links cannot be changed at present");
  if (!done->known)
    return complain(404, std::string(region_.name()) + " has no link to " +
                             std::string(order.to.name()));
  return answer(200, as_json(done->link));
}

void FaultPages::collect(MetricsPage& page) const {
  auto links = read();
  if (!links) return;
  for (const auto& link : *links) {
    for (auto kind : kFaultKinds) {
      MetricLabels labels{{"peer", std::string(link.to.name())},
                          {"kind", std::string(fault_kind_name(kind))}};
      bool holds = false;
      for (const auto& one : link.faults) holds |= one.fault.kind == kind;
      page.gauge("meridian_link_fault", "1 while this fault is done to the link on purpose.",
                 holds ? 1 : 0, labels);
      page.counter("meridian_link_faults_total", "Faults that were begun on purpose.",
                   static_cast<double>(link.begun[static_cast<std::size_t>(kind)]), labels);
    }
  }
}

}  // namespace meridian::rpc
