#include "signfold/encoder/fast_rotation.h"

#include <bit>
#include <cmath>

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
    steps_.push_back({offset, random_bits({seed, purpose, first_index + steps_.size()}, power_)});
  }
}

double FastRotation::scale() const {
  const auto p = static_cast<double>(power_);
  return power_ == size_ ? 1 / (p * std::sqrt(p)) : 1;
}

void FastRotation::transform(std::span<float> window) const {
  simd::hadamard(window);
  if (power_ != size_) simd::scale(window, static_cast<float>(1 / std::sqrt(static_cast<double>(power_))));
}

void FastRotation::forward(std::span<float> x) const {
  for (const Step& step : steps_) {
    const std::span<float> window = x.subspan(step.offset, power_);
    simd::flip_signs(window, step.signs);
    transform(window);
  }
}

void FastRotation::backward(std::span<float> x) const {
  for (std::size_t k = steps_.size(); k-- > 0;) {
    const std::span<float> window = x.subspan(steps_[k].offset, power_);
    transform(window);
    simd::flip_signs(window, steps_[k].signs);
  }
}

}  // namespace signfold
