#include "nn/distributed.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <string_view>

#include "base/error.h"
#include "base/text.h"

namespace cupel::nn {
namespace {

constexpr int kMostRanks = 1 << 20, kMostPort = 65535;

/// The variables of one process, read strictly.
class Reader {
 public:
  explicit Reader(const Environment& environment) : environment_(environment) {}

  std::string text(const char* name) const {
    const char* value = environment_(name);
    return value == nullptr ? "" : value;
  }

  bool has(const char* name) const { return !text(name).empty(); }

  std::string required(const char* name) const {
    const std::string value = text(name);
    if (value.empty())
      fail(ErrorKind::config, name, "is not set, and RANK or WORLD_SIZE is",
           "set RANK, WORLD_SIZE, MASTER_ADDR and MASTER_PORT, or none of them");
    return value;
  }

  int number(const char* name, int least, int most) const {
    const std::string value = required(name);
    int number = 0;
    const char* end = value.data() + value.size();
    const auto result = std::from_chars(value.data(), end, number);
    if (result.ec != std::errc() || result.ptr != end || number < least || number > most)
      fail(ErrorKind::config, name,
           "must be a whole number from " + std::to_string(least) + " to " + std::to_string(most) +
               ", not " + clip(value, 40),
           "let torchrun, the scheduler or --nproc set it");
    return number;
  }

 private:
  const Environment& environment_;
};

[[noreturn]] void fail_socket() {
  fail(ErrorKind::resource, "127.0.0.1", std::string("no port can be had: ") + ::strerror(errno),
       "see that the loopback interface is up");
}

}  // namespace

std::optional<Ranks> ranks_of_environment(const Environment& environment) {
  const Reader read(environment);
  if (!read.has("RANK") && !read.has("WORLD_SIZE")) return std::nullopt;
  Ranks ranks;
  ranks.size = read.number("WORLD_SIZE", 1, kMostRanks);
  ranks.rank = read.number("RANK", 0, ranks.size - 1);
  if (ranks.size == 1) return std::nullopt;
  if (read.has("LOCAL_RANK")) read.number("LOCAL_RANK", 0, ranks.size - 1);
  ranks.address = read.required("MASTER_ADDR");
  ranks.port = read.number("MASTER_PORT", 1, kMostPort);
  if (ranks.rank == 0 && read.has(kListenerVariable))
    ranks.listener = read.number(kListenerVariable, 0, kMostRanks);
  ranks.store_is_up = read.text("TORCHELASTIC_USE_AGENT_STORE") == "True";
  if (read.has("TORCHELASTIC_RESTART_COUNT"))
    ranks.attempt = read.text("TORCHELASTIC_RESTART_COUNT");
  return ranks;
}

Listener listen_on_loopback() {
  Listener listener;
  listener.socket = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (listener.socket < 0) fail_socket();
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  auto* plain = reinterpret_cast<sockaddr*>(&address);
  if (::bind(listener.socket, plain, size) != 0 || ::listen(listener.socket, SOMAXCONN) != 0 ||
      ::getsockname(listener.socket, plain, &size) != 0) {
    ::close(listener.socket);
    fail_socket();
  }
  listener.port = ntohs(address.sin_port);
  return listener;
}

}  // namespace cupel::nn
