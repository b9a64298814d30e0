// Processes that do one piece of work together, on one machine or on many. Only src/signfold/mpi knows how.
#pragma once

#include <algorithm>
#include <cstddef>
#include <span>

namespace signfold {

/// This process among those that work together. Every rank makes the same calls in the same order. A null pointer to
/// Ranks stands for a process alone: see the functions below.
class Ranks {
 public:
  Ranks() = default;
  virtual ~Ranks() = default;
  Ranks(const Ranks&) = delete;
  Ranks& operator=(const Ranks&) = delete;

  virtual int rank() const = 0;  ///< 0 … size − 1
  virtual int size() const = 0;
  /// Adds up, in place, the numbers of all ranks, in the order of the ranks: every rank holds the same bytes
  /// afterwards, and the next run with as many ranks does too.
  virtual void sum(std::span<float> numbers) = 0;
  virtual void sum(std::span<double> numbers) = 0;
  /// Rank 0's bytes for every rank.
  virtual void share(std::span<std::byte> bytes) = 0;
  /// Returns when every rank has called it, however long that takes. Throws Error{interrupted} when asked to stop.
  virtual void wait_for_all() = 0;
};

/// Ranks that are processes started together. Destroyed when all is well, in every process; abort() otherwise.
class Job : public Ranks {
 public:
  /// Threads for this process when nobody says how many: its share of the processors that it may run on.
  virtual int threads() const = 0;
  /// Ends the processes of all ranks, now.
  [[noreturn]] virtual void abort(int code) = 0;
};

inline bool several(const Ranks* ranks) { return ranks != nullptr && ranks->size() > 1; }
/// Is this the rank that writes and speaks for all?
inline bool speaks(const Ranks* ranks) { return ranks == nullptr || ranks->rank() == 0; }

/// What one rank does of `count` things in a row.
struct RankShare {
  std::size_t begin = 0, count = 0;
};
/// Shares differ by at most one thing; alone, it is all of them.
inline RankShare share_of(const Ranks* ranks, std::size_t count) {
  if (!several(ranks)) return {0, count};
  const auto rank = static_cast<std::size_t>(ranks->rank());
  const auto size = static_cast<std::size_t>(ranks->size());
  const std::size_t begin = rank * (count / size) + std::min(rank, count % size);
  return {begin, count / size + (rank < count % size ? 1 : 0)};
}

}  // namespace signfold
