#include "tests/component/http/raw_connection.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

namespace meridian::test {

RawConnection::RawConnection(std::uint16_t port) : fd_(::socket(AF_INET, SOCK_STREAM, 0)) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  int failed = ::connect(fd_, reinterpret_cast<const sockaddr*>(&address), sizeof address);
  EXPECT_EQ(failed, 0);
}

RawConnection::~RawConnection() {
  if (fd_ >= 0) ::close(fd_);
}

void RawConnection::send(std::string_view bytes) {
  while (!bytes.empty()) {
    ssize_t sent = ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent <= 0) return;  // the server has closed; its answer may still be read
    bytes.remove_prefix(static_cast<std::size_t>(sent));
  }
}

bool RawConnection::read_some(int ms) {
  pollfd entry{fd_, POLLIN, 0};
  if (::poll(&entry, 1, ms) <= 0) return false;
  char chunk[16384];
  ssize_t got = ::recv(fd_, chunk, sizeof chunk, 0);
  if (got <= 0) {
    ended_ = true;
    return false;
  }
  in_.append(chunk, static_cast<std::size_t>(got));
  return true;
}

std::string RawConnection::answer() {
  std::size_t whole = std::string::npos;
  for (;;) {
    auto head = in_.find("\r\n\r\n");
    if (head != std::string::npos) {
      auto length = in_.find("Content-Length: ");
      bool has_body = length < head;
      whole = head + 4 + (has_body ? std::stoul(in_.substr(length + 16)) : 0);
      if (in_.size() >= whole) break;
    }
    if (!read_some(10'000)) {
      whole = in_.size();
      break;
    }
  }
  std::string out = in_.substr(0, whole);
  in_.erase(0, whole);
  return out;
}

bool RawConnection::closed_within(int ms) {
  if (!in_.empty()) return false;
  while (!ended_)
    if (read_some(ms) || !ended_) return false;
  return true;
}

void RawConnection::reset() {
  linger at_once{1, 0};
  ::setsockopt(fd_, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
  ::close(fd_);
  fd_ = -1;
}

void RawConnection::end_sending() { ::shutdown(fd_, SHUT_WR); }

}  // namespace meridian::test
