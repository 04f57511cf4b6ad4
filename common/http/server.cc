#include "common/http/server.h"

#include <boost/asio/steady_timer.hpp>
#include <stdexcept>
#include <thread>
#include <utility>

#include "common/check.h"
#include "common/http/session.h"

namespace meridian::http {
namespace {

constexpr std::int64_t kSweepsPerIdle = 8;  // an idle connection lives up to 1/8 longer
constexpr std::int64_t kSweepMsMax = 1000;
constexpr std::int64_t kAcceptPauseMs = 100;  // after a failed accept (no file descriptors left)

tcp::endpoint resolve(asio::io_context& io, const std::string& address) {
  auto colon = address.rfind(':');
  if (colon == std::string::npos) throw std::runtime_error("not host:port: " + address);
  std::string host = address.substr(0, colon);
  if (host.size() > 2 && host.front() == '[' && host.back() == ']')
    host = host.substr(1, host.size() - 2);
  error_code ec;
  tcp::resolver resolver(io);
  auto found = resolver.resolve(host, address.substr(colon + 1), tcp::resolver::passive, ec);
  if (ec || found.empty())
    throw std::runtime_error("cannot resolve " + address + ": " + ec.message());
  return *found.begin();
}

// Accepts connections of one address.  Runs on its own strand.
class Door : public std::enable_shared_from_this<Door> {
 public:
  Door(std::shared_ptr<Hub> hub, Listener listener)
      : hub_(std::move(hub)),
        listener_(std::move(listener)),
        strand_(asio::make_strand(hub_->io)),
        acceptor_(strand_),
        pause_(strand_) {}

  void open() {
    auto endpoint = resolve(hub_->io, listener_.address);
    error_code ec;
    acceptor_.open(endpoint.protocol(), ec);
    if (!ec) acceptor_.set_option(asio::socket_base::reuse_address(true), ec);
    if (!ec) acceptor_.bind(endpoint, ec);
    if (!ec) acceptor_.listen(asio::socket_base::max_listen_connections, ec);
    if (ec) throw std::runtime_error("cannot listen on " + listener_.address + ": " + ec.message());
    port_ = acceptor_.local_endpoint().port();
  }

  void accept() {
    acceptor_.async_accept(asio::make_strand(hub_->io),
                           [self = shared_from_this()](const error_code& ec, Socket socket) {
                             self->on_accept(ec, std::move(socket));
                           });
  }

  void close() {
    asio::post(strand_, [self = shared_from_this()] {
      error_code ignored;
      self->acceptor_.close(ignored);
      self->pause_.cancel();
    });
  }

  [[nodiscard]] std::uint16_t port() const { return port_; }

 private:
  void on_accept(const error_code& ec, Socket socket) {
    if (!acceptor_.is_open()) return;
    if (ec) return accept_later(ec);
    failing_ = false;
    error_code ignored;
    socket.set_option(tcp::no_delay(true), ignored);
    auto session = std::make_shared<Session>(hub_, std::move(socket), listener_.handler);
    if (session->enlist()) {
      full_ = false;
      session->start();
    } else if (!full_) {
      full_ = true;
      hub_->log.warn("http_connections_full", "address={} connections_max={}", listener_.address,
                     hub_->limits.connections_max);
    }
    accept();
  }

  void accept_later(const error_code& ec) {
    // It may last: the first of a row of failures is news.
    if (!std::exchange(failing_, true))
      hub_->log.warn("http_accept_failed", "address={} reason=\"{}\"", listener_.address,
                     ec.message());
    pause_.expires_after(std::chrono::milliseconds(kAcceptPauseMs));
    pause_.async_wait([self = shared_from_this()](const error_code& cancelled) {
      if (!cancelled && self->acceptor_.is_open()) self->accept();
    });
  }

  const std::shared_ptr<Hub> hub_;
  const Listener listener_;
  Strand strand_;
  asio::basic_socket_acceptor<tcp, Strand> acceptor_;
  asio::steady_timer pause_;
  std::uint16_t port_ = 0;
  bool full_ = false;
  bool failing_ = false;
};

}  // namespace

class HttpServer::Impl {
 public:
  Impl(std::vector<Listener> listeners, unsigned threads, HttpLimits limits, Logger log)
      : hub_(std::make_shared<Hub>(threads, limits, std::move(log))),
        thread_count_(threads),
        sweep_timer_(hub_->io) {
    MERIDIAN_CHECK(threads > 0);
    for (auto& listener : listeners)
      doors_.push_back(std::make_shared<Door>(hub_, std::move(listener)));
  }

  void start() {
    for (auto& door : doors_) door->open();
    for (auto& door : doors_) door->accept();
    arm_sweep();
    for (unsigned i = 0; i < thread_count_; ++i) threads_.emplace_back([this] { hub_->io.run(); });
  }

  void stop() {
    if (stopped_) return;
    stopped_ = true;
    hub_->stopping = true;
    for (auto& door : doors_) door->close();
    for (auto& session : hub_->living()) session->drain();
    if (!threads_.empty() && !hub_->wait_empty(kDrainMsMax))
      hub_->log.warn("http_drain_cut", "connections={}", hub_->size());
    hub_->io.stop();
    for (auto& thread : threads_) thread.join();
    hub_->seal();
    // No thread runs the loop any more: end what is left here, so that nothing holds itself alive.
    sweep_timer_.cancel();
    for (auto& session : hub_->living()) session->close();
    hub_->io.restart();
    hub_->io.poll();
  }

  [[nodiscard]] std::uint16_t port(std::size_t index) const { return doors_.at(index)->port(); }
  [[nodiscard]] std::size_t connections() const { return hub_->size(); }

 private:
  void arm_sweep() {
    auto period_ms =
        std::clamp<std::int64_t>(hub_->limits.idle_ms_max / kSweepsPerIdle, 1, kSweepMsMax);
    std::int64_t ticks = (hub_->limits.idle_ms_max + period_ms - 1) / period_ms;
    sweep_timer_.expires_after(std::chrono::milliseconds(period_ms));
    sweep_timer_.async_wait([this, ticks](const error_code& cancelled) {
      if (cancelled || hub_->stopping) return;
      ++hub_->tick;
      for (auto& session : hub_->living()) session->sweep(ticks);
      arm_sweep();
    });
  }

  const std::shared_ptr<Hub> hub_;
  const unsigned thread_count_;
  std::vector<std::shared_ptr<Door>> doors_;
  asio::steady_timer sweep_timer_;
  std::vector<std::thread> threads_;
  bool stopped_ = false;
};

HttpServer::HttpServer(std::vector<Listener> listeners, unsigned threads, HttpLimits limits,
                       Logger log)
    : impl_(std::make_unique<Impl>(std::move(listeners), threads, limits, std::move(log))) {}

HttpServer::~HttpServer() { impl_->stop(); }

void HttpServer::start() { impl_->start(); }
void HttpServer::stop() { impl_->stop(); }
std::uint16_t HttpServer::port(std::size_t index) const { return impl_->port(index); }
std::size_t HttpServer::connections() const { return impl_->connections(); }

}  // namespace meridian::http
