#include "common/http/session.h"

#include <boost/asio/bind_executor.hpp>
#include <boost/asio/dispatch.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/http/error.hpp>
#include <boost/beast/http/rfc7230.hpp>
#include <boost/beast/http/status.hpp>
#include <thread>
#include <utility>

#include "common/check.h"

namespace meridian::http {
namespace {

constexpr std::size_t kReadBytes = 16 * 1024;
constexpr std::size_t kReadBodyBytes = 256 * 1024;
// What a body may have beyond HttpLimits::bytes_in_flight_max.
constexpr std::size_t kSmallBytes = 64 * 1024;
// A length that the client only claims is not reserved beyond this.
constexpr std::size_t kReserveBytesMax = 1024 * 1024;

int status_of(const error_code& ec) {
  if (ec == beast::http::error::body_limit) return 413;
  if (ec == beast::http::error::header_limit || ec == beast::http::error::buffer_overflow)
    return 431;
  return 400;
}

Response refusal(int status) {
  auto reason = beast::http::obsolete_reason(static_cast<beast::http::status>(status));
  return {status, "text/plain", {}, std::string(reason.data(), reason.size()) + "\n"};
}

void append_head(std::string& out, const Response& response, bool keep_alive) {
  out.clear();
  out += "HTTP/1.1 ";
  out += std::to_string(response.status);
  out += ' ';
  auto reason = beast::http::obsolete_reason(static_cast<beast::http::status>(response.status));
  out.append(reason.data(), reason.size());
  out += "\r\nContent-Type: ";
  out += response.content_type;
  out += "\r\nContent-Length: ";
  out += std::to_string(response.body.size());
  for (const auto& [name, value] : response.headers) {
    out += "\r\n";
    out += name;
    out += ": ";
    out += value;
  }
  out += keep_alive ? "\r\nConnection: keep-alive\r\n\r\n" : "\r\nConnection: close\r\n\r\n";
}

// Gives one answer to one request; if the handler loses it, the client still hears of it.
class Pending {
 public:
  explicit Pending(std::shared_ptr<Session> session) : session_(std::move(session)) {}
  Pending(const Pending&) = delete;
  Pending& operator=(const Pending&) = delete;
  ~Pending() {
    if (session_) session_->answer({500, "text/plain", {}, "the request was dropped\n"});
  }
  // Lets go of the session, which a forgotten Responder must not keep alive.
  void answer(Response response) {
    MERIDIAN_CHECK(!answered_.exchange(true));
    std::exchange(session_, nullptr)->answer(std::move(response));
  }

 private:
  std::shared_ptr<Session> session_;
  std::atomic<bool> answered_{false};
};

}  // namespace

// ----------------------------------------------------------------------------------------- parser

RequestParser::RequestParser(const HttpLimits& limits) {
  eager(true);
  header_limit(static_cast<std::uint32_t>(limits.header_bytes_max));
  body_limit(limits.body_bytes_max);
}

void RequestParser::on_request_impl(beast::http::verb, beast::string_view method,
                                    beast::string_view target, int, error_code&) {
  request_.method.assign(method.data(), method.size());
  request_.target.assign(target.data(), target.size());
  request_.headers.reserve(16);
}

void RequestParser::on_field_impl(beast::http::field name, beast::string_view text,
                                  beast::string_view value, error_code&) {
  if (name == beast::http::field::expect && beast::iequals(value, "100-continue"))
    expects_continue_ = true;
  request_.headers.emplace_back(std::string(text.data(), text.size()),
                                std::string(value.data(), value.size()));
}

void RequestParser::on_body_init_impl(const boost::optional<std::uint64_t>& length, error_code&) {
  if (length) request_.body.reserve(std::min<std::size_t>(*length, kReserveBytesMax));
}

std::size_t RequestParser::on_body_impl(beast::string_view body, error_code&) {
  request_.body.append(body.data(), body.size());
  return body.size();
}

std::size_t RequestParser::on_chunk_body_impl(std::uint64_t, beast::string_view body, error_code&) {
  request_.body.append(body.data(), body.size());
  return body.size();
}

// -------------------------------------------------------------------------------------------- hub

bool Hub::add(Session* session) {
  std::lock_guard lock(mutex_);
  if (stopping || sessions_.size() >= limits.connections_max) return false;
  sessions_.insert(session);
  return true;
}

void Hub::remove(Session* session) {
  std::lock_guard lock(mutex_);
  sessions_.erase(session);
  if (sessions_.empty()) empty_.notify_all();
}

std::size_t Hub::size() const {
  std::lock_guard lock(mutex_);
  return sessions_.size();
}

std::vector<std::shared_ptr<Session>> Hub::living() const {
  std::vector<std::shared_ptr<Session>> out;
  std::lock_guard lock(mutex_);
  out.reserve(sessions_.size());
  for (Session* session : sessions_)
    if (auto alive = session->weak_from_this().lock()) out.push_back(std::move(alive));
  return out;
}

bool Hub::wait_empty(std::int64_t ms) {
  std::unique_lock lock(mutex_);
  return empty_.wait_for(lock, std::chrono::milliseconds(ms), [this] { return sessions_.empty(); });
}

bool Hub::enter() {
  ++inside_;
  if (!sealed_) return true;
  --inside_;
  return false;
}

void Hub::leave() { --inside_; }

void Hub::seal() {
  sealed_ = true;
  while (inside_ != 0) std::this_thread::yield();
}

void Hub::answer(std::shared_ptr<Session> session, Response response) {
  if (!enter()) return;
  bool post;
  {
    std::lock_guard lock(answers_mutex_);
    answers_.push_back({std::move(session), std::move(response)});
    post = !std::exchange(delivery_posted_, true);
  }
  if (post) asio::post(io, [this] { deliver(); });
  leave();
}

void Hub::deliver() {
  std::vector<Answered> answers;
  {
    std::lock_guard lock(answers_mutex_);
    answers.swap(answers_);
    delivery_posted_ = false;
  }
  for (auto& [session, response] : answers) session->dispatch(std::move(response));
}

// ---------------------------------------------------------------------------------------- session

Session::Session(std::shared_ptr<Hub> hub, Socket socket, const Handler& handler)
    : hub_(std::move(hub)), socket_(std::move(socket)), handler_(handler) {}

bool Session::enlist() {
  accepted_ = hub_->add(this);
  return accepted_;
}

Session::~Session() {
  hold(0);
  if (accepted_) hub_->remove(this);
}

void Session::start() {
  asio::dispatch(socket_.get_executor(), [self = shared_from_this()] { self->next_request(); });
}

void Session::next_request() {
  request_begun_ = false;
  continue_sent_ = false;
  head_only_ = false;
  parser_.emplace(hub_->limits);
  stamp();
  if (buffer_.size() > 0) return parse();
  if (draining_) return close();
  // An idle connection does not keep the room that a large request took.
  if (buffer_.capacity() > kReadBytes) buffer_.shrink_to_fit();
  read_more();
}

void Session::read_more() {
  bool in_body = parser_->is_header_done();
  socket_.async_read_some(buffer_.prepare(in_body ? kReadBodyBytes : kReadBytes),
                          [self = shared_from_this()](const error_code& ec, std::size_t bytes) {
                            self->on_read(ec, bytes);
                          });
}

void Session::on_read(const error_code& ec, std::size_t bytes) {
  if (ec) return close();
  buffer_.commit(bytes);
  parse();
}

void Session::parse() {
  if (!request_begun_) {
    request_begun_ = true;
    stamp();  // a request has as long as the silence before it had
  }
  error_code ec;
  while (buffer_.size() > 0 && !parser_->is_done()) {
    std::size_t used = parser_->put(buffer_.data(), ec);
    buffer_.consume(used);
    if (ec == beast::http::error::need_more) break;
    if (ec) return refuse(status_of(ec));
    if (used == 0) break;
  }
  hold(parser_->body_bytes());
  if (too_much_in_flight()) return refuse(503);
  if (parser_->is_done()) return hand_over();
  // The parser takes all but an unfinished head, of the request or of a chunk, or a trailer.
  if (buffer_.size() > hub_->limits.header_bytes_max) return refuse(431);
  if (parser_->is_header_done() && parser_->expects_continue() && !continue_sent_)
    return send_continue();
  read_more();
}

void Session::send_continue() {
  continue_sent_ = true;
  static constexpr std::string_view kContinue = "HTTP/1.1 100 Continue\r\n\r\n";
  asio::async_write(socket_, asio::buffer(kContinue),
                    [self = shared_from_this()](const error_code& ec, std::size_t) {
                      if (ec) return self->close();
                      self->read_more();
                    });
}

void Session::hand_over() {
  hold(0);
  stamp_ = kUntimed;
  keep_alive_ = parser_->keep_alive();
  Request request = std::move(parser_->request());
  head_only_ = request.method == "HEAD";
  auto pending = std::make_shared<Pending>(shared_from_this());
  try {
    handler_(std::move(request),
             [pending](Response response) { pending->answer(std::move(response)); });
  } catch (const std::exception& failure) {
    hub_->log.error("http_handler_failed", "reason=\"{}\"", failure.what());
  }
}

void Session::answer(Response response) {
  if (hub_->io.get_executor().running_in_this_thread()) return dispatch(std::move(response));
  hub_->answer(shared_from_this(), std::move(response));
}

void Session::dispatch(Response response) {
  asio::dispatch(socket_.get_executor(),
                 [self = shared_from_this(), response = std::move(response)]() mutable {
                   self->write(std::move(response));
                 });
}

void Session::refuse(int status) {
  keep_alive_ = false;
  refused_ = true;
  parser_.reset();
  write(refusal(status));
}

void Session::write(Response response) {
  if (!socket_.is_open()) return;
  stamp();
  if (draining_) keep_alive_ = false;
  hold(response.body.size());
  if (too_much_in_flight()) {
    response = refusal(503);
    hold(response.body.size());
  }
  append_head(head_, response, keep_alive_);
  body_ = head_only_ ? std::string() : std::move(response.body);
  std::array<asio::const_buffer, 2> parts{asio::buffer(head_), asio::buffer(body_)};
  asio::async_write(socket_, parts, [self = shared_from_this()](const error_code& ec, std::size_t) {
    self->on_written(ec);
  });
}

void Session::on_written(const error_code& ec) {
  if (ec) return close();
  body_ = std::string();
  hold(0);
  if (keep_alive_) return next_request();
  error_code ignored;
  socket_.shutdown(tcp::socket::shutdown_send, ignored);
  // A close with unread bytes would reset the connection and could take the answer with it.
  if (refused_) return discard(0);
  close();
}

void Session::discard(std::size_t discarded) {
  if (discarded > kDiscardBytesMax) return close();
  buffer_.clear();
  socket_.async_read_some(
      buffer_.prepare(kReadBodyBytes),
      [self = shared_from_this(), discarded](const error_code& ec, std::size_t bytes) {
        if (ec) return self->close();
        self->discard(discarded + bytes);
      });
}

void Session::hold(std::size_t bytes) {
  if (bytes == held_bytes_) return;
  hub_->bytes_in_flight += bytes - held_bytes_;  // wraps as it must
  held_bytes_ = bytes;
}

bool Session::too_much_in_flight() const {
  return held_bytes_ > kSmallBytes && hub_->bytes_in_flight > hub_->limits.bytes_in_flight_max;
}

void Session::drain() {
  draining_ = true;
  if (!hub_->enter()) return;
  asio::post(socket_.get_executor(), [self = shared_from_this()] {
    if (!self->request_begun_ || self->refused_) self->close();
  });
  hub_->leave();
}

void Session::sweep(std::int64_t ticks) {
  if (!overdue(ticks)) return;
  asio::post(socket_.get_executor(), [self = shared_from_this(), ticks] {
    // A request may have come meanwhile, and be under way.
    if (self->overdue(ticks)) self->close();
  });
}

bool Session::overdue(std::int64_t ticks) const {
  const std::int64_t begun = stamp_;
  return begun != kUntimed && hub_->tick - begun > ticks;
}

void Session::close() {
  if (!socket_.is_open()) return;
  error_code ignored;
  socket_.close(ignored);
}

}  // namespace meridian::http
