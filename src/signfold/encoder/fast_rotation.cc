#include "signfold/encoder/fast_rotation.h"

#include <algorithm>
#include <bit>
#include <cmath>

#include "signfold/simd/hadamard.h"
#include "signfold/simd/kernels.h"

namespace signfold {
namespace {

/// Packed random bits, least significant first; written byte by byte, so the same on machines of any endianness.
std::vector<std::uint8_t> random_bits(RandomStream stream, std::size_t count) {
  std::vector<std::uint8_t> bytes((count + 7) / 8);
  std::uint32_t word = 0;
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    word = i % 4 == 0 ? stream.bits32() : word >> 8;
    bytes[i] = static_cast<std::uint8_t>(word);
  }
  return bytes;
}

/// Where the windows of the steps begin.
std::vector<std::size_t> window_offsets(std::size_t size, std::size_t power) {
  if (size == power) return {0, 0, 0};
  const std::size_t last = size - power;
  return {0, last, last / 2, 0, last};
}

}  // namespace

FastRotation::FastRotation(std::size_t size, std::uint64_t seed, Purpose purpose, std::uint64_t first_index)
    : size_(size), power_(std::bit_floor(size)) {
  for (const std::size_t offset : window_offsets(size_, power_)) {
    const RandomStream stream(seed, purpose, first_index + steps_.size());
    steps_.push_back({offset, random_bits(stream, power_)});
  }
}

double FastRotation::scale() const {
  const auto p = static_cast<double>(power_);
  return power_ == size_ ? 1 / (p * std::sqrt(p)) : 1;
}

float FastRotation::step_factor() const {
  return power_ == size_ ? 1 : static_cast<float>(1 / std::sqrt(static_cast<double>(power_)));
}

void FastRotation::forward_but_one(std::span<const float> x, std::span<float> y) const {
  std::span<const float> from = x;  // the first window is read from x, and what it leaves out is copied
  std::copy_n(x.data() + power_, size_ - power_, y.data() + power_);
  for (std::size_t k = 0; k + 1 < steps_.size(); ++k) {
    const std::size_t offset = steps_[k].offset;
    simd::signed_hadamard({.before = steps_[k].signs, .factor = step_factor()}, from.subspan(offset, power_),
                          y.subspan(offset, power_));
    from = y;
  }
}

void FastRotation::forward(std::span<const float> x, float gain, std::span<float> y) const {
  forward_but_one(x, y);
  const bool whole = power_ == size_;  // the last window is all of the vector
  const std::span<float> window = y.subspan(steps_.back().offset, power_);
  simd::signed_hadamard({.before = steps_.back().signs, .factor = whole ? gain : step_factor()}, window, window);
  if (!whole && gain != 1) simd::scale(y, gain);
}

void FastRotation::encode(std::span<const float> x, std::span<float> work, std::span<std::uint8_t> codes) const {
  if (power_ != size_) {  // the last window is not all of the vector
    forward(x, 1, work);
    return simd::pack_signs(work, codes);
  }
  forward_but_one(x, work);
  simd::signed_hadamard_bits(steps_.back().signs, work, work, codes);
}

void FastRotation::backward(std::span<const float> x, float gain, std::span<float> y) const {
  if (power_ != size_) {
    if (x.data() != y.data()) std::copy_n(x.data(), x.size(), y.data());
    for (std::size_t k = steps_.size(); k-- > 0;) {
      const std::span<float> window = y.subspan(steps_[k].offset, power_);
      simd::signed_hadamard({.after = steps_[k].signs, .factor = step_factor()}, window, window);
    }
    return simd::scale(y, gain);
  }
  // All windows are the whole vector: the signs that follow one transform come before the next.
  std::span<const float> from = x;
  std::span<const std::uint8_t> before;
  for (std::size_t k = steps_.size(); k-- > 1; from = y) {
    simd::signed_hadamard({.before = before}, from, y);
    before = steps_[k].signs;
  }
  simd::signed_hadamard({.before = before, .after = steps_[0].signs, .factor = gain}, from, y);
}

}  // namespace signfold
