// Counter-based random streams (Philox4x32-10): every number is a pure function of (seed, purpose, index, position),
// so samples do not depend on the number of threads or on the order of work.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <vector>

namespace signfold {

/// Streams of different purposes never overlap, even with the same seed. Append only: the values are part of the
/// file format (an encoder is stored as its seed).
enum class Purpose : std::uint32_t {
  sample = 1,          ///< synthetic vectors; index = row
  hadamard_signs = 2,  ///< index = step
  hadamard_place = 3,  ///< which coordinates x occupies when n > d
  hadamard_keep = 4,   ///< which coordinates become bits when n < d
  haar = 5,            ///< index = row of the Gaussian matrix
  mixed = 6,
  subsample = 7,  ///< rows a fit looks at
  em = 8,         ///< starting points of EM
  masks = 9,      ///< of a population risk; index = step
  batch = 10,     ///< which rows a training step looks at; index = pass over the data
  start = 11,     ///< where training starts; index = row
  noise = 12,     ///< of a population descent; index = step
  erasure = 13,   ///< which coordinates of a vector are masked; index = row or visit
  held_out = 14,  ///< noise that learned laws are compared under; index = row
  augment = 15,   ///< how a training vector is changed; index = visit
  test = 100,     ///< for tests only
};

/// One stream of random numbers. Copyable; not shared between threads.
class RandomStream {
 public:
  RandomStream(std::uint64_t seed, Purpose purpose, std::uint64_t index = 0);

  std::uint32_t bits32();
  std::uint64_t bits64();
  /// Uniform in (0, 1): open_unit() of 64 random bits.
  double uniform();
  /// Standard normal (Box–Muller on two uniforms).
  double normal();
  /// Uniform in {0, …, bound − 1}, exactly (by rejection); bound ≥ 1.
  std::uint64_t below(std::uint64_t bound);

 private:
  std::array<std::uint32_t, 2> key_;
  std::array<std::uint32_t, 4> counter_;
  std::array<std::uint32_t, 4> block_{};
  int used_ = 4;
  double spare_normal_ = 0;
  bool has_spare_ = false;
};

/// The top 52 bits as the middle of one of 2^52 equal cells of (0, 1): never 0 or 1, in double precision either.
double open_unit(std::uint64_t bits);

/// A uniformly random permutation of {0, …, n − 1} (Fisher–Yates; integers only, the same on every machine).
std::vector<std::uint32_t> random_permutation(RandomStream& stream, std::size_t n);

/// k of {0, …, n − 1} chosen uniformly, in increasing order; k ≤ n.
std::vector<std::uint32_t> random_subset(RandomStream& stream, std::size_t n, std::size_t k);

}  // namespace signfold
