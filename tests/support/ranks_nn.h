// Several ranks of a run as threads of one process.
#pragma once

#include <cstdlib>
#include <exception>
#include <thread>
#include <vector>

#include "base/run.h"
#include "nn/distributed_nn.h"

namespace cupel {

inline nn::Ranks ranks_of(int rank, int size, const nn::Listener& listener) {
  nn::Ranks ranks;
  ranks.rank = rank;
  ranks.size = size;
  ranks.address = "127.0.0.1";
  ranks.port = listener.port;
  if (rank == 0) ranks.listener = listener.socket;
  return ranks;
}

/// c10d's log of collectives, one for the whole process, enters a new group without a lock
/// (FlightRecorderDetail.hpp, all_pg_status_): two ranks in one process, which only tests have, may
/// break it. Read when the first collective begins.
inline void turn_off_flight_recorder() { setenv("TORCH_FR_BUFFER_SIZE", "0", 0); }

/// Calls body(peers) for every rank, each on a thread of its own; throws what the lowest of them
/// threw.
template <class Body>
void on_ranks(int size, const Body& body, double timeout_seconds = 60) {
  turn_off_flight_recorder();
  const nn::Listener listener = nn::listen_on_loopback();
  std::vector<std::exception_ptr> thrown(static_cast<std::size_t>(size));
  std::vector<std::thread> threads;
  for (int rank = 0; rank < size; ++rank) {
    threads.emplace_back([&, rank] {
      try {
        Peers peers = nn::join(ranks_of(rank, size, listener), timeout_seconds);
        peers.local_size = 1;  // threads of a test are given their number
        body(peers);
      } catch (...) {
        thrown[static_cast<std::size_t>(rank)] = std::current_exception();
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  for (const std::exception_ptr& each : thrown)
    if (each) std::rethrow_exception(each);
}

}  // namespace cupel
