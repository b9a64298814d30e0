// The square core of the fast rotation: a few steps of random signs and Hadamard transforms on N coordinates.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "signfold/base/random.h"

namespace signfold {

/// An orthogonal N × N matrix R, applied in O(N log N); docs/math.md, "The fast rotation". With P the largest power of
/// two ≤ N, each step works on a window of P coordinates: it flips their signs at random, then Hadamard-transforms
/// them. N = P takes three steps. Otherwise five windows, the first P coordinates, the last, the middle, the first, the
/// last, let every coordinate meet every other: with three steps, R would nearly be block-diagonal for N just below 2P.
///
/// The arithmetic is fixed, so results are the same bits everywhere: additions and subtractions in the order of
/// simd::hadamard, and a multiplication of the P transformed coordinates by the float32 nearest to 1/√P after each
/// step. When N = P that factor touches every coordinate alike, so it is left out and reported as scale().
class FastRotation {
 public:
  static constexpr std::size_t kMostSteps = 5;

  /// The signs of step k are those of RandomStream(seed, purpose, first_index + k), k < kMostSteps. size ≥ 1.
  FastRotation(std::size_t size, std::uint64_t seed, Purpose purpose, std::uint64_t first_index);

  std::size_t size() const { return size_; }
  /// R = scale()·forward: P^(−3/2) for N = P, otherwise 1.
  double scale() const;
  /// y := gain · R x / scale(), N numbers each; x may be y.
  void forward(std::span<const float> x, float gain, std::span<float> y) const;
  /// y := gain · Rᵀ x / scale(); x may be y.
  void backward(std::span<const float> x, float gain, std::span<float> y) const;
  /// Packed bits of sign(R x): ⌈N/8⌉ bytes. `work`, N numbers, is overwritten.
  void encode(std::span<const float> x, std::span<float> work, std::span<std::uint8_t> codes) const;

 private:
  struct Step {
    std::size_t offset;               ///< where the window begins
    std::vector<std::uint8_t> signs;  ///< P packed bits; set = flip
  };

  /// What multiplies the transformed window of a step.
  float step_factor() const;
  /// The steps before the last one.
  void forward_but_one(std::span<const float> x, std::span<float> y) const;

  std::size_t size_;
  std::size_t power_;  ///< P
  std::vector<Step> steps_;
};

}  // namespace signfold
