// RawConnection: a plain socket to a port of this machine, for sending what no well-behaved client
// would.
// Threads: one owner.  Errors: what fails shows as an empty answer or a closed connection.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace meridian::test {

class RawConnection {
 public:
  explicit RawConnection(std::uint16_t port);
  ~RawConnection();
  RawConnection(const RawConnection&) = delete;
  RawConnection& operator=(const RawConnection&) = delete;

  void send(std::string_view bytes);
  // One whole answer (head and body by Content-Length), or what came before the connection ended or
  // ten seconds passed.
  std::string answer();
  // True when the server closes within the time, and nothing more came before it.
  bool closed_within(int ms);
  void end_sending();
  // Goes without a word: what is under way is lost, and the other side gets a reset.
  void reset();

 private:
  bool read_some(int ms);

  int fd_;
  std::string in_;
  bool ended_ = false;
};

}  // namespace meridian::test
