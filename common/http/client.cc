#include "common/http/client.h"

#include <fcntl.h>
#include <netdb.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <cstring>

#include "common/ascii.h"
#include "common/clock.h"

namespace meridian::http {
namespace {

constexpr std::size_t kHeadBytesMax = 64 * 1024;
constexpr std::size_t kBodyBytesMax = 64 * 1024 * 1024;

class Fd {
 public:
  Fd() = default;
  explicit Fd(int fd) : fd_(fd) {}
  Fd(const Fd&) = delete;
  Fd& operator=(const Fd&) = delete;
  ~Fd() { reset(); }
  void reset(int fd = -1) {
    if (fd_ >= 0) ::close(fd_);
    fd_ = fd;
  }
  [[nodiscard]] int get() const { return fd_; }
  [[nodiscard]] bool open() const { return fd_ >= 0; }

 private:
  int fd_ = -1;
};

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

std::size_t number(std::string_view text, int base) {
  std::size_t value = 0;
  auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), value, base);
  if (failure != std::errc() || end == text.data()) throw HttpError("malformed length in answer");
  if (value > kBodyBytesMax) throw HttpError("answer too large");
  return value;
}

struct Head {
  int status = 0;
  std::size_t length = 0;
  bool chunked = false;
  bool to_end = true;  // neither a length nor chunks: the body ends with the connection
  bool keep_alive = true;
};

Head parse_head(std::string_view text) {
  Head head;
  if (text.size() < 12 || text.substr(0, 7) != "HTTP/1.") throw HttpError("not an HTTP answer");
  head.keep_alive = text[7] == '1';
  head.status = static_cast<int>(number(text.substr(9, 3), 10));
  std::size_t at = text.find("\r\n");
  while (at != std::string_view::npos && at + 2 < text.size()) {
    std::size_t end = text.find("\r\n", at + 2);
    std::string_view line = text.substr(at + 2, end == std::string_view::npos ? end : end - at - 2);
    at = end;
    auto colon = line.find(':');
    if (colon == std::string_view::npos) continue;
    std::string name = ascii::lower(line.substr(0, colon));
    std::string_view value = trimmed(line.substr(colon + 1));
    if (name == "content-length") {
      head.length = number(value, 10);
      head.to_end = false;
    } else if (name == "transfer-encoding" && ascii::lower(value) == "chunked") {
      head.chunked = true;
      head.to_end = false;
    } else if (name == "connection") {
      head.keep_alive = ascii::lower(value) != "close";
    }
  }
  if (head.status == 204 || head.status == 304) head.to_end = false;
  if (head.to_end) head.keep_alive = false;
  return head;
}

}  // namespace

class HttpClient::Impl {
 public:
  Impl(std::string address, std::int64_t timeout_ms)
      : address_(std::move(address)), timeout_ms_(timeout_ms) {}

  ClientResponse request(std::string_view method, const std::string& target,
                         const std::string& body,
                         const std::vector<std::pair<std::string, std::string>>& headers) {
    deadline_ms_ = clock_.monotonic_ms() + timeout_ms_;
    try {
      // The server may have closed an idle connection.  Seen beforehand, because a request that
      // failed half-way must not be sent again: it may have been carried out.
      if (fd_.open() && hung_up()) fd_.reset();
      if (!fd_.open()) connect();
      send(compose(method, target, body, headers));
      return receive();
    } catch (...) {
      fd_.reset();
      throw;
    }
  }

 private:
  std::string compose(std::string_view method, const std::string& target, const std::string& body,
                      const std::vector<std::pair<std::string, std::string>>& headers) const {
    std::string out;
    out.reserve(body.size() + 256);
    out.append(method).append(" ").append(target).append(" HTTP/1.1\r\nHost: ").append(address_);
    for (const auto& [name, value] : headers)
      out.append("\r\n").append(name).append(": ").append(value);
    if (method != "GET") out.append("\r\nContent-Length: ").append(std::to_string(body.size()));
    out.append("\r\n\r\n").append(body);
    return out;
  }

  void connect() {
    in_.clear();
    auto colon = address_.rfind(':');
    if (colon == std::string::npos) throw HttpError("not host:port: " + address_);
    std::string host = address_.substr(0, colon);
    if (host.size() > 2 && host.front() == '[') host = host.substr(1, host.size() - 2);
    addrinfo hints{};
    hints.ai_socktype = SOCK_STREAM;
    addrinfo* found = nullptr;
    int failure = getaddrinfo(host.c_str(), address_.substr(colon + 1).c_str(), &hints, &found);
    if (failure != 0) throw HttpError(address_ + ": " + gai_strerror(failure));
    std::string reason = "no address";
    for (addrinfo* at = found; at != nullptr && !fd_.open(); at = at->ai_next)
      reason = try_connect(*at);
    freeaddrinfo(found);
    if (!fd_.open()) throw HttpError(address_ + ": " + reason);
  }

  [[nodiscard]] bool hung_up() const {
    char byte;
    ssize_t got = ::recv(fd_.get(), &byte, 1, MSG_PEEK | MSG_DONTWAIT);
    return got >= 0 || (errno != EAGAIN && errno != EINTR);
  }

  // Empty on success, else the reason.
  std::string try_connect(const addrinfo& to) {
    fd_.reset(::socket(to.ai_family, to.ai_socktype | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
    if (!fd_.open()) return std::strerror(errno);
    int failure = 0;
    if (::connect(fd_.get(), to.ai_addr, to.ai_addrlen) != 0) {
      failure = errno;
      if (failure == EINPROGRESS && wait(POLLOUT)) {
        socklen_t size = sizeof failure;
        getsockopt(fd_.get(), SOL_SOCKET, SO_ERROR, &failure, &size);
      }
    }
    if (failure != 0) {
      fd_.reset();
      return failure == EINPROGRESS ? "timed out" : std::strerror(failure);
    }
    int on = 1;
    setsockopt(fd_.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    return {};
  }

  // False when the deadline passed.
  bool wait(short events) {
    for (;;) {
      std::int64_t left_ms = deadline_ms_ - clock_.monotonic_ms();
      if (left_ms <= 0) return false;
      pollfd entry{fd_.get(), events, 0};
      int ready = ::poll(&entry, 1, static_cast<int>(std::min<std::int64_t>(left_ms, 1 << 30)));
      if (ready > 0) return true;
      if (ready < 0 && errno != EINTR) throw HttpError(address_ + ": " + std::strerror(errno));
    }
  }

  void send(std::string_view bytes) {
    while (!bytes.empty()) {
      ssize_t sent = ::send(fd_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (sent >= 0) {
        bytes.remove_prefix(static_cast<std::size_t>(sent));
      } else if (errno == EAGAIN) {
        if (!wait(POLLOUT)) throw HttpError(address_ + ": timed out");
      } else if (errno != EINTR) {
        throw HttpError(address_ + ": " + std::strerror(errno));
      }
    }
  }

  // False at the end of the stream.
  bool read_some() {
    for (;;) {
      ssize_t got = ::recv(fd_.get(), chunk_.data(), chunk_.size(), 0);
      if (got > 0) {
        in_.append(chunk_.data(), static_cast<std::size_t>(got));
        return true;
      }
      if (got == 0) return false;
      if (errno == EAGAIN) {
        if (!wait(POLLIN)) throw HttpError(address_ + ": timed out");
      } else if (errno != EINTR) {
        throw HttpError(address_ + ": " + std::strerror(errno));
      }
    }
  }

  void need(std::size_t bytes) {
    while (in_.size() < bytes)
      if (!read_some()) throw HttpError(address_ + ": answer cut short");
  }

  std::string take_line() {
    std::size_t end;
    while ((end = in_.find("\r\n")) == std::string::npos) {
      if (in_.size() > kHeadBytesMax) throw HttpError(address_ + ": malformed answer");
      need(in_.size() + 1);
    }
    std::string line = in_.substr(0, end);
    in_.erase(0, end + 2);
    return line;
  }

  ClientResponse receive() {
    for (;;) {
      std::size_t end;
      while ((end = in_.find("\r\n\r\n")) == std::string::npos) {
        if (in_.size() > kHeadBytesMax) throw HttpError(address_ + ": answer's head too large");
        if (read_some()) continue;
        throw HttpError(address_ + ": connection closed without an answer");
      }
      Head head = parse_head(std::string_view(in_).substr(0, end));
      in_.erase(0, end + 4);
      if (head.status / 100 == 1) continue;
      ClientResponse response{head.status, read_body(head)};
      if (!head.keep_alive) fd_.reset();
      return response;
    }
  }

  std::string read_body(const Head& head) {
    std::string body;
    if (head.to_end) {
      while (in_.size() <= kBodyBytesMax && read_some()) {
      }
      body.swap(in_);
    } else if (head.chunked) {
      for (;;) {
        std::size_t size = number(take_line(), 16);
        if (size == 0) break;
        if (body.size() + size > kBodyBytesMax) throw HttpError("answer too large");
        need(size + 2);
        body.append(in_, 0, size);
        in_.erase(0, size + 2);
      }
      while (!take_line().empty()) {
      }
    } else {
      need(head.length);
      body = in_.substr(0, head.length);
      in_.erase(0, head.length);
    }
    return body;
  }

  const std::string address_;
  const std::int64_t timeout_ms_;
  SystemClock clock_;
  std::int64_t deadline_ms_ = 0;
  Fd fd_;
  std::string in_;  // received and not yet used
  std::array<char, 64 * 1024> chunk_{};
};

HttpClient::HttpClient(std::string address, std::int64_t timeout_ms)
    : impl_(std::make_unique<Impl>(std::move(address), timeout_ms)) {}
HttpClient::~HttpClient() = default;

ClientResponse HttpClient::get(const std::string& target,
                               const std::vector<std::pair<std::string, std::string>>& headers) {
  return impl_->request("GET", target, {}, headers);
}

ClientResponse HttpClient::post(const std::string& target, const std::string& body,
                                const std::vector<std::pair<std::string, std::string>>& headers) {
  return impl_->request("POST", target, body, headers);
}

}  // namespace meridian::http
