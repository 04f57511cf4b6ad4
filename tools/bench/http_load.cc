#include "tools/bench/http_load.h"

#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <deque>
#include <limits>
#include <memory>
#include <stdexcept>
#include <vector>

#include "common/clock.h"

namespace meridian::bench {
namespace {

constexpr std::string_view kLength = "Content-Length: ";
constexpr std::int64_t kSilenceUsMax = 10'000'000;
constexpr std::int64_t kNever = std::numeric_limits<std::int64_t>::max();

[[noreturn]] void fail(const std::string& what) {
  throw std::runtime_error("load: " + what + ": " + std::strerror(errno));
}

class Fd {
 public:
  explicit Fd(int fd) : fd_(fd) {}
  Fd(const Fd&) = delete;
  Fd& operator=(const Fd&) = delete;
  ~Fd() {
    if (fd_ >= 0) ::close(fd_);
  }
  [[nodiscard]] int get() const { return fd_; }

 private:
  const int fd_;
};

struct Connection {
  explicit Connection(int fd) : socket(fd) {}
  Fd socket;
  std::string in;  // of the answer, so far
  std::int64_t since_us = 0;  // when the request was sent, or was due
};

class Loop {
 public:
  explicit Loop(const HttpLoadPlan& plan) : plan_(plan), epoll_(::epoll_create1(EPOLL_CLOEXEC)) {
    for (unsigned i = 0; i < plan.connections; ++i) connect();
  }

  HttpLoadReport run() {
    begun_us_ = last_us_ = clock_.monotonic_us();
    end_us_ = plan_.ending != nullptr ? kNever : begun_us_ + plan_.run_ms * 1000;
    std::array<epoll_event, 64> events{};
    for (send_what_is_due(); waiting_ > 0 || more(); send_what_is_due()) {
      timespec longest = patience();
      int ready = ::epoll_pwait2(epoll_.get(), events.data(), events.size(), &longest, nullptr);
      if (ready < 0 && errno != EINTR) fail("epoll");
      if (clock_.monotonic_us() - std::max(last_us_, begun_us_) > kSilenceUsMax && waiting_ > 0)
        throw std::runtime_error("load: no answer within 10 s");
      for (int i = 0; i < ready; ++i)
        receive(*static_cast<Connection*>(events[static_cast<std::size_t>(i)].data.ptr));
    }
    report_.seconds = static_cast<double>(last_us_ - begun_us_) / 1e6;
    return std::move(report_);
  }

 private:
  void connect() {
    auto& connection = *connections_.emplace_back(
        std::make_unique<Connection>(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)));
    int fd = connection.socket.get();
    sockaddr_in to{};
    to.sin_family = AF_INET;
    to.sin_port = htons(plan_.port);
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (::connect(fd, reinterpret_cast<const sockaddr*>(&to), sizeof to) != 0) fail("connect");
    int on = 1;
    ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    epoll_event event{};
    event.events = EPOLLIN;
    event.data.ptr = &connection;
    if (::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, fd, &event) != 0) fail("epoll");
    idle_.push_back(&connection);
  }

  // When the next request is due: in a closed loop, as soon as a connection is idle.
  [[nodiscard]] std::int64_t due_us() const {
    if (plan_.per_second == 0) return 0;
    double after_us = static_cast<double>(sent_) * 1e6 / plan_.per_second;
    return begun_us_ + static_cast<std::int64_t>(after_us);
  }

  // Whether there is another request to be sent, now or when it is due.
  bool more() {
    if (plan_.requests_max > 0) return sent_ < plan_.requests_max;
    std::int64_t now_us = clock_.monotonic_us();
    if (plan_.ending != nullptr && end_us_ == kNever && *plan_.ending) end_us_ = now_us;
    return plan_.per_second > 0 ? due_us() < end_us_ : now_us < end_us_;
  }

  void send_what_is_due() {
    while (!idle_.empty() && more()) {
      std::int64_t now_us = clock_.monotonic_us();
      std::int64_t due = due_us();
      if (due > now_us) return;
      // In turn, so that none is idle for so long that the server closes it.
      Connection& connection = *idle_.front();
      idle_.pop_front();
      connection.since_us = due > 0 ? due : now_us;
      send(connection);
    }
  }

  // How long to wait for an answer before there is something else to do.
  [[nodiscard]] timespec patience() const {
    std::int64_t us = 1'000'000;
    if (plan_.per_second > 0 && !idle_.empty())
      us = std::clamp<std::int64_t>(due_us() - clock_.monotonic_us(), 0, us);
    return {us / 1'000'000, us % 1'000'000 * 1000};
  }

  // Blocks if it must: a request is far smaller than a socket's buffer.
  void send(Connection& connection) {
    std::string_view request = plan_.next();
    ++waiting_;
    ++sent_;
    while (!request.empty()) {
      ssize_t done = ::send(connection.socket.get(), request.data(), request.size(), MSG_NOSIGNAL);
      if (done < 0 && errno == EINTR) continue;
      if (done < 0) fail("send");
      request.remove_prefix(static_cast<std::size_t>(done));
    }
  }

  void receive(Connection& connection) {
    ssize_t got = ::recv(connection.socket.get(), chunk_.data(), chunk_.size(), 0);
    if (got <= 0) fail("the server closed a connection");
    std::string_view arrived(chunk_.data(), static_cast<std::size_t>(got));
    // Nearly every answer comes whole, and is then read where it lies.
    if (connection.in.empty()) {
      if (whole(arrived)) {
        answered(connection, arrived);
      } else {
        connection.in = arrived;
      }
      return;
    }
    connection.in += arrived;
    if (!whole(connection.in)) return;
    answered(connection, connection.in);
    connection.in.clear();
  }

  static bool whole(std::string_view answer) {
    std::size_t head = answer.find("\r\n\r\n");
    if (head == std::string_view::npos) return false;
    std::size_t at = answer.find(kLength);
    if (at > head) throw std::runtime_error("load: an answer without Content-Length");
    std::size_t length = 0;
    std::from_chars(answer.data() + at + kLength.size(), answer.data() + head, length);
    return answer.size() >= head + 4 + length;
  }

  void answered(Connection& connection, std::string_view answer) {
    last_us_ = clock_.monotonic_us();
    --waiting_;
    if (answer.substr(0, 12) == "HTTP/1.1 200") {
      ++report_.answered;
      if (plan_.latency != nullptr) plan_.latency->record(last_us_ - connection.since_us);
    } else if (report_.failed++ == 0) {
      report_.first_failure = answer.substr(0, 500);
    }
    idle_.push_back(&connection);
    send_what_is_due();
  }

  const HttpLoadPlan& plan_;
  SystemClock clock_;
  Fd epoll_;
  std::vector<std::unique_ptr<Connection>> connections_;
  std::deque<Connection*> idle_;
  HttpLoadReport report_;
  std::int64_t begun_us_ = 0;
  std::int64_t end_us_ = 0;
  std::int64_t last_us_ = 0;
  std::uint64_t waiting_ = 0;
  std::uint64_t sent_ = 0;
  std::array<char, 64 * 1024> chunk_{};
};

}  // namespace

HttpLoadReport run_http_load(const HttpLoadPlan& plan) {
  auto loop = std::make_unique<Loop>(plan);
  return loop->run();
}

}  // namespace meridian::bench
