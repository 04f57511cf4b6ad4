// Session: one connection of the HTTP server, and Hub: what its connections share.  Internal to
// common/http; the Asio and Beast headers that it needs are slow to compile.
//
// A session reads a request, gives it to its listener's handler, writes the answer, and starts again:
// one request at a time, so pipelined requests are answered in order.
// Threads: a session runs on its own strand; answer() from any thread.  Hub's methods from any.
// Owns: a session keeps itself alive through its pending operations, and the Hub through a pointer.
// Limits: HttpLimits; kDiscardBytesMax.
#pragma once

#include <array>
#include <atomic>
#include <boost/asio/basic_stream_socket.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/strand.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/basic_parser.hpp>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <optional>
#include <unordered_set>

#include "common/http/server.h"

namespace meridian::http {

namespace asio = boost::asio;
namespace beast = boost::beast;
using tcp = asio::ip::tcp;
using boost::system::error_code;

using Strand = asio::strand<asio::io_context::executor_type>;
using Socket = asio::basic_stream_socket<tcp, Strand>;

// Bytes of a refused request that are read and thrown away so that its sender sees the answer.
inline constexpr std::size_t kDiscardBytesMax = 64 * 1024 * 1024;

class Session;

// The event loop, the limits, and the register of living sessions.
class Hub {
 public:
  Hub(unsigned threads, HttpLimits http_limits, Logger logger)
      : limits(http_limits), log(std::move(logger)), io(static_cast<int>(threads)) {}

  // False when there are HttpLimits::connections_max already, or the server stops.
  bool add(Session* session);
  void remove(Session* session);
  [[nodiscard]] std::size_t size() const;
  [[nodiscard]] std::vector<std::shared_ptr<Session>> living() const;
  // True when the last session ended within the time.
  bool wait_empty(std::int64_t ms);

  // Brackets a post to `io` from a foreign thread: false once the loop has ended for good.
  bool enter();
  void leave();
  // Ends enter() and waits for those inside.
  void seal();
  // Hands an answer from a foreign thread to the loop.  Those that come together (the writes of one
  // commit) wake the loop once.
  void answer(std::shared_ptr<Session> session, Response response);

  const HttpLimits limits;
  const Logger log;
  asio::io_context io;
  std::atomic<std::size_t> bytes_in_flight{0};  // what the sessions hold(); see HttpLimits
  std::atomic<std::int64_t> tick{0};  // counts sweeps; the unit of Session's time stamps
  std::atomic<bool> stopping{false};

 private:
  struct Answered {
    std::shared_ptr<Session> session;
    Response response;
  };
  void deliver();

  mutable std::mutex mutex_;
  std::condition_variable empty_;
  std::unordered_set<Session*> sessions_;  // guarded by mutex_
  std::mutex answers_mutex_;
  std::vector<Answered> answers_;    // guarded by answers_mutex_
  bool delivery_posted_ = false;     // guarded by answers_mutex_
  std::atomic<int> inside_{0};
  std::atomic<bool> sealed_{false};
};

// Beast's parser, writing straight into our Request.
class RequestParser final : public beast::http::basic_parser<true> {
 public:
  explicit RequestParser(const HttpLimits& limits);
  Request& request() { return request_; }
  [[nodiscard]] std::size_t body_bytes() const { return request_.body.size(); }
  [[nodiscard]] bool expects_continue() const { return expects_continue_; }

 private:
  void on_request_impl(beast::http::verb, beast::string_view method, beast::string_view target,
                       int version, error_code&) override;
  void on_response_impl(int, beast::string_view, int, error_code&) override {}
  void on_field_impl(beast::http::field name, beast::string_view text, beast::string_view value,
                     error_code&) override;
  void on_header_impl(error_code&) override {}
  void on_body_init_impl(const boost::optional<std::uint64_t>& length, error_code&) override;
  std::size_t on_body_impl(beast::string_view body, error_code&) override;
  void on_chunk_header_impl(std::uint64_t, beast::string_view, error_code&) override {}
  std::size_t on_chunk_body_impl(std::uint64_t, beast::string_view body, error_code&) override;
  void on_finish_impl(error_code&) override {}

  Request request_;
  bool expects_continue_ = false;
};

class Session : public std::enable_shared_from_this<Session> {
 public:
  Session(std::shared_ptr<Hub> hub, Socket socket, const Handler& handler);
  ~Session();

  // Makes it known to the hub; false where it has no room.  Before start(), and once a shared_ptr owns it:
  // whoever finds it in the hub asks for another.
  [[nodiscard]] bool enlist();
  void start();
  // Writes `response`; any thread, once per request.
  void answer(Response response);
  // The same, on a thread of the loop.
  void dispatch(Response response);
  // Closes now if no request is under way, else after its answer.
  void drain();
  // Closes if reading or writing has not got on for `ticks` sweeps.
  void sweep(std::int64_t ticks);
  // On this session's strand only, or after the loop has ended.
  void close();

 private:
  static constexpr std::int64_t kUntimed = -1;  // the handler has the request

  void next_request();
  void read_more();
  void on_read(const error_code& ec, std::size_t bytes);
  void parse();
  void send_continue();
  void hand_over();
  void refuse(int status);
  void write(Response response);
  void on_written(const error_code& ec);
  void discard(std::size_t discarded);
  // Says how many bytes of bodies this session holds from now on.
  void hold(std::size_t bytes);
  [[nodiscard]] bool too_much_in_flight() const;
  [[nodiscard]] bool overdue(std::int64_t ticks) const;
  void stamp() { stamp_.store(hub_->tick.load(std::memory_order_relaxed)); }

  const std::shared_ptr<Hub> hub_;
  Socket socket_;
  const Handler& handler_;
  bool accepted_ = false;
  beast::flat_buffer buffer_;
  std::optional<RequestParser> parser_;
  std::string head_;
  std::string body_;
  std::size_t held_bytes_ = 0;
  bool request_begun_ = false;
  bool continue_sent_ = false;
  bool keep_alive_ = true;
  bool head_only_ = false;
  bool refused_ = false;
  std::atomic<bool> draining_{false};
  // Sweep at which the current read or write began, or kUntimed.
  std::atomic<std::int64_t> stamp_{0};
};

}  // namespace meridian::http
